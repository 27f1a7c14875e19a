/* A BFCP participant on libre over UDP: `bfcp_peer LOCAL_HOST LOCAL_PORT HOST PORT CONFID USERID`.
 * Commands on standard input: hello, request, release, query, quit. Prints what it is told. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <re.h>
#include <string.h>
#include <unistd.h>

static struct bfcp_conn *conn;
static struct sa server;
static uint32_t confid;
static uint16_t userid, requestid;

static void show(const struct bfcp_msg *msg)
{
	struct bfcp_attr *info = bfcp_msg_attr(msg, BFCP_FLOOR_REQ_INFO);
	struct bfcp_attr *overall = bfcp_attr_subattr(info, BFCP_OVERALL_REQ_STATUS);
	struct bfcp_attr *status = bfcp_attr_subattr(overall, BFCP_REQUEST_STATUS);
	struct bfcp_attr *who = bfcp_attr_subattr(info, BFCP_BENEFICIARY_INFO);
	struct bfcp_attr *name = bfcp_attr_subattr(who, BFCP_USER_DISP_NAME);
	struct bfcp_attr *error = bfcp_msg_attr(msg, BFCP_ERROR_CODE);

	(void)re_printf("%s", bfcp_prim_name(msg->prim));
	if (info && info->v.floorreqid)
		requestid = info->v.floorreqid;
	if (status)
		(void)re_printf(" %s %u", bfcp_reqstatus_name(status->v.reqstatus.status),
				status->v.reqstatus.qpos);
	if (name)
		(void)re_printf(" %s", name->v.userdname);
	if (error)
		(void)re_printf(" %s", bfcp_errcode_name(error->v.errcode.code));
	(void)re_printf("\n");
	(void)fflush(stdout);
}

static void on_response(int err, const struct bfcp_msg *msg, void *arg)
{
	(void)arg;
	if (err) {
		(void)re_printf("failed %m\n", err);
		(void)fflush(stdout);
		return;
	}
	show(msg);
}

static void on_message(const struct bfcp_msg *msg, void *arg)
{
	(void)arg;
	show(msg);
	if (msg->prim == BFCP_FLOOR_REQUEST_STATUS)
		(void)bfcp_reply(conn, msg, BFCP_FLOOR_REQ_STATUS_ACK, 0);
	else if (msg->prim == BFCP_FLOOR_STATUS)
		(void)bfcp_reply(conn, msg, BFCP_FLOOR_STATUS_ACK, 0);
}

static int ask(enum bfcp_prim prim, unsigned count, enum bfcp_attrib type, uint16_t value)
{
	return bfcp_request(conn, &server, BFCP_VER2, prim, confid, userid, on_response, NULL,
			    count, BFCP_MANDATORY | type, 0, &value);
}

static void on_input(int flags, void *arg)
{
	char line[64] = "";
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
	int err = 0;
	(void)flags;
	(void)arg;
	if (n <= 0 || !strncmp(line, "quit", 4)) {
		re_cancel();
		return;
	}
	if (!strncmp(line, "hello", 5))
		err = ask(BFCP_HELLO, 0, BFCP_FLOOR_ID, 0);
	else if (!strncmp(line, "request", 7))
		err = ask(BFCP_FLOOR_REQUEST, 1, BFCP_FLOOR_ID, 1);
	else if (!strncmp(line, "release", 7))
		err = ask(BFCP_FLOOR_RELEASE, 1, BFCP_FLOOR_REQUEST_ID, requestid);
	else if (!strncmp(line, "query", 5))
		err = ask(BFCP_FLOOR_QUERY, 1, BFCP_FLOOR_ID, 1);
	if (err)
		on_response(err, NULL, NULL);
}

int main(int argc, char *argv[])
{
	struct sa local;

	if (argc != 7 || libre_init())
		return 2;
	confid = (uint32_t)strtoul(argv[5], NULL, 10);
	userid = (uint16_t)atoi(argv[6]);
	if (sa_set_str(&local, argv[1], (uint16_t)atoi(argv[2])) ||
	    sa_set_str(&server, argv[3], (uint16_t)atoi(argv[4])) ||
	    bfcp_listen(&conn, BFCP_UDP, &local, NULL, on_message, NULL) ||
	    fd_listen(STDIN_FILENO, FD_READ, on_input, NULL))
		return 1;
	(void)re_main(NULL);
	mem_deref(conn);
	libre_close();
	return 0;
}
