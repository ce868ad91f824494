"""The step of the schema that brings the views for people, and since when an episode is calm."""

from typing import Final

from consumers.store.episodes_step import RANKING
from consumers.store.step_minutes import HISTORY

_NAME_OF: Final = "(SELECT name FROM machines WHERE machines.machine_id = {of}.machine_id) AS name,\n    "

STEP_CALLED: Final = f"""
-- calm_since: when the first of the calm_readings came; NULL: there is none. From now on cleared_at is that time.
ALTER TABLE anomaly_episodes ADD COLUMN calm_since TEXT;

{RANKING}
DROP VIEW machine_history;
{HISTORY.format(name=_NAME_OF.format(of="minutes"))}
"""
