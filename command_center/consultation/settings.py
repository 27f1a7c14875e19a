"""Settings of the consultation room."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsultationSettings(BaseModel):
    """What the desk proposes and how phones reach it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_url: str = Field(
        default="http://127.0.0.1:8080", description="how phones reach us: join links begin so"
    )
    network_contact: str = Field(
        default="",
        max_length=120,
        description="whom the desk tells of a scan or of guessed passwords: name and number",
    )
    camera_radius_km: float = Field(
        default=5.0, gt=0, le=100, description="cameras nearer than this are proposed, km"
    )
    most_cameras: int = Field(default=4, ge=0, le=50, description="cameras chosen at once")
    neighbour_radius_km: float = Field(
        default=40.0, ge=0, le=500, description="county halls nearer than this are offered, km"
    )
    enterprise_radius_km: float = Field(
        default=3.0, ge=0, le=100, description="enterprise rooms nearer than this are chosen, km"
    )
