"""From a plan and the facts of an incident to proposals, levels and dated task cards. Pure."""
