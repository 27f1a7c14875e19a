"""Error codes -> status and words (RFC 9457). Rooms add their own in `errors.py` as `PROBLEMS`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..errors import RoomError


@dataclass(frozen=True, slots=True)
class Problem:
    """One stable code: HTTP status, what the operator reads, what a developer reads.

    The sentences may name the error's fields: '{winner}已接收'.
    """

    status: int
    zh: str
    en: str


PROBLEMS: dict[str, Problem] = {
    "body_too_large": Problem(413, "请求内容过大", "The request body is too large"),
    "body_not_utf8": Problem(400, "请求内容不是 UTF-8 编码", "The request body is not UTF-8"),
    "body_not_json": Problem(400, "请求内容不是合法的 JSON", "The request body is not valid JSON"),
    "body_not_an_object": Problem(400, "请求内容应为 JSON 对象", "The body must be a JSON object"),
    "json_not_finite": Problem(400, "数值不能是 NaN 或无穷大", "NaN and Infinity are refused"),
    "json_number_too_large": Problem(400, "数值过大", "A number has too many digits"),
    "json_too_deep": Problem(400, "JSON 嵌套过深", "The JSON is nested too deeply"),
    "json_duplicate_key": Problem(400, "JSON 中有重复的字段", "A JSON object repeats a key"),
    "text_not_storable": Problem(
        400, "文本含有不能存储的字符", "The text has characters that cannot be stored"
    ),
    "content_type_wrong": Problem(415, "内容类型不受支持", "The content type is not supported"),
    "validation_failed": Problem(422, "提交的内容有误，请检查标出的字段", "Some fields are wrong"),
    "not_found": Problem(404, "没有找到", "Not found"),
    "method_not_allowed": Problem(405, "不支持此操作", "The method is not allowed here"),
    "bad_request": Problem(400, "请求有误", "The request is malformed"),
    "internal_error": Problem(500, "系统内部错误，已记录", "An internal error, logged"),
    "database_unavailable": Problem(
        503, "数据库暂不可用，系统处于只读状态，请稍后再试", "The database is unavailable"
    ),
    "system_busy": Problem(503, "系统繁忙，请稍后再试", "The system is busy, try again"),
    "not_signed_in": Problem(401, "请先登录", "Sign in first"),
    "wrong_credentials": Problem(401, "用户名或密码错误", "Wrong user name or password"),
    "old_password_wrong": Problem(422, "原密码不正确", "The present password is wrong"),
    "second_factor_needed": Problem(
        401, "请输入身份验证器上的六位动态码", "Enter the six digits of your authenticator"
    ),
    "totp_code_wrong": Problem(
        422, "密码或动态码不正确，请核对本机时间", "Password or code is wrong; check the clock"
    ),
    "source_banned": Problem(
        429,
        "该地址尝试的账号过多，暂停登录 {minutes} 分钟",
        "Too many names were tried from this address: no log-in for {minutes} minutes",
    ),
    "own_account": Problem(
        409, "不能对自己的账号执行此操作", "You may not do this to your own account"
    ),
    "administrator_protected": Problem(
        409,
        "管理员的密码只能在服务器上用 command-center administrators --reset 重置",
        "An administrator's password is made anew on the server alone: "
        "command-center administrators --reset",
    ),
    "password_not_own": Problem(
        409,
        "该账号尚未由本人修改初始密码，不能授予管理员角色",
        "Its owner has not replaced the first password yet: no administrator's role",
    ),
    "permission_denied": Problem(403, "没有权限执行此操作", "You may not do this"),
    "csrf_header_missing": Problem(403, "请求缺少防伪标头", "The X-CSRF header is missing"),
    "join_token_invalid": Problem(
        401, "入会链接无效或已过期", "The join link is invalid or has expired"
    ),
    "password_too_weak": Problem(422, "密码不符合要求：{rule}", "The password is too weak: {rule}"),
    "roles_conflict": Problem(
        409, "系统、安全、审计管理员须由三人分任", "The administrators must be three people"
    ),
    "username_taken": Problem(409, "用户名已被使用", "The user name is taken"),
    "audit_unavailable": Problem(503, "审计无法写入，操作未执行", "The audit cannot be written"),
    "idempotency_key_reused": Problem(
        422, "幂等键已用于另一请求", "The Idempotency-Key was used for another request"
    ),
    "idempotency_key_invalid": Problem(400, "幂等键格式有误", "The Idempotency-Key is malformed"),
    "request_in_progress": Problem(
        409, "相同的请求正在处理，请稍后再试", "The same request is being processed"
    ),
    "conflict": Problem(409, "数据已被他人改动，请刷新后再试", "Somebody changed this meanwhile"),
}


class EdgeError(RoomError):
    """An error of the edge itself: wrong bytes, wrong type, unknown path."""


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def problem_of(code: str, table: Mapping[str, Problem]) -> tuple[str, Problem]:
    """The code and its problem; a code that no table knows becomes `internal_error`."""
    known = table.get(code)
    return (code, known) if known else ("internal_error", table["internal_error"])


def problem_body(
    code: str, fields: dict[str, Any] | None = None, *, table: Mapping[str, Problem] = PROBLEMS
) -> dict[str, Any]:
    """The RFC 9457 document of an error. Never a stack trace, never the input."""
    code, problem = problem_of(code, table)
    fields = fields or {}
    return {
        "type": f"urn:command-center:problem:{code}",
        "title": problem.en.format_map(_Blank(fields)),
        "status": problem.status,
        "code": code,
        "detail": problem.zh.format_map(_Blank(fields)),
        "detail_en": problem.en.format_map(_Blank(fields)),
        "fields": fields,
    }


def problem_response(
    code: str, fields: dict[str, Any] | None = None, *, table: Mapping[str, Problem] = PROBLEMS
) -> web.Response:
    """An `application/problem+json` answer."""
    body = problem_body(code, fields, table=table)
    headers = {"Retry-After": "2"} if body["status"] == 503 else {}
    return web.Response(
        body=json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace"),
        status=body["status"],
        content_type="application/problem+json",
        headers=headers,
    )
