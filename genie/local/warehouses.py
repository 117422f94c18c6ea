"""The one warehouse and the one user that clients look up."""

from __future__ import annotations

from typing import Any

from genie.local.api_errors import not_found
from genie.local.requests import Request

WAREHOUSE_ID = "0000000000000001"
USER_ID = 1


def check_warehouse(warehouse_id: str) -> None:
    """Raises ApiError (404) for any warehouse but the one there is."""
    if warehouse_id != WAREHOUSE_ID:
        raise not_found(
            f"SQL warehouse {warehouse_id} does not exist; the one here is {WAREHOUSE_ID}."
        )


class Warehouses:
    """Always running: the Spark session of the process that serves the workspace."""

    def __init__(self, user_name: str) -> None:
        self._user_name = user_name

    def list_warehouses(self, request: Request) -> dict[str, Any]:
        """``GET /sql/warehouses``."""
        return {"warehouses": [self._warehouse()]}

    def get_warehouse(self, request: Request) -> dict[str, Any]:
        """``GET /sql/warehouses/{id}``."""
        check_warehouse(request.ids[0])
        return self._warehouse()

    def get_me(self, request: Request) -> dict[str, Any]:
        """``GET /preview/scim/v2/Me``."""
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": str(USER_ID),
            "userName": self._user_name,
            "displayName": self._user_name,
            "active": True,
            "emails": [{"value": self._user_name, "primary": True}],
        }

    def _warehouse(self) -> dict[str, Any]:
        return {
            "id": WAREHOUSE_ID,
            "name": "Embedded warehouse",
            "state": "RUNNING",
            "warehouse_type": "PRO",
            "enable_serverless_compute": True,
            "cluster_size": "2X-Small",
            "min_num_clusters": 1,
            "max_num_clusters": 1,
            "num_clusters": 1,
            "auto_stop_mins": 0,
            "creator_name": self._user_name,
        }
