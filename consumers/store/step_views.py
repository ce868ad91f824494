"""The step of the schema that brings the views for people: the ranking of the machines, and their history."""

from typing import Final

# The same words as `utils.text.duration` and `machines.ranking`; a test holds them together.
_DURATION: Final = """CASE
    WHEN {ms} < 60000 THEN (max({ms}, 0) / 1000) || ' s'
    WHEN {ms} < 3600000 THEN ({ms} / 60000) || ' min'
    WHEN {ms} < 172800000 THEN ({ms} / 3600000) || ' h'
    ELSE printf('%,d days', {ms} / 86400000)
END"""
_MS: Final = (
    "(strftime('%s', {end}) - strftime('%s', {begin})) * 1000 + substr({end}, 21, 3) - substr({begin}, 21, 3)"
)
_LASTING: Final = _DURATION.format(ms="lasting_ms")
_SILENT: Final = _DURATION.format(ms="silent_ms")
_LASTING_MS: Final = _MS.format(begin="raised_at", end="timestamp")
_SILENT_MS: Final = _MS.format(begin="timestamp", end="plant.at")

_WHOLE: Final = "CAST({} / {size} AS INTEGER)"
_LOW: Final = _WHOLE.format("low_s", size="{size}")
_HIGH: Final = _WHOLE.format("high_s", size="{size}")
_SPAN_IN: Final = f"{_LOW} || '–' || ({_HIGH} + (high_s / {{size}} > {_HIGH})) || ' {{unit}}'"
_SPAN: Final = f"""CASE
        WHEN high_s < 120 THEN {_SPAN_IN.format(size=1, unit="s")}
        WHEN high_s < 7200 THEN {_SPAN_IN.format(size=60, unit="min")}
        WHEN high_s < 172800 THEN {_SPAN_IN.format(size=3600, unit="h")}
        ELSE {_SPAN_IN.format(size=86400, unit="days")}
    END"""

_RANKING: Final = f"""
-- Every machine, those first that need a look first, and why. kind: beyond (it runs beyond a limit), stopped (beyond
-- a limit, but in maintenance or offline), forecast (to reach its limit of vibration: the sooner, the earlier), near
-- (within the limits: the nearer to one, the earlier). They come in the order beyond, forecast, stopped, near.
-- since: when its oldest open episode began, or the reading that is beyond a limit came; NULL: neither is.
CREATE VIEW machines_to_maintain AS
WITH plant AS (
    -- The plant's time, about: of the machines' latest timestamps the middle one.
    SELECT timestamp AS at FROM machines
    ORDER BY timestamp LIMIT 1 OFFSET (SELECT max(count(*) - 1, 0) / 2 FROM machines)
), gauges AS (
    SELECT
        machine_id, timestamp, 'temperature' AS signal, temperature AS value,
        temperature_safe_max_c AS safe_max, '°C' AS unit
    FROM machines CROSS JOIN view_settings
    UNION ALL SELECT machine_id, timestamp, 'vibration', vibration, vibration_safe_max_mm_s, 'mm/s'
    FROM machines CROSS JOIN view_settings
), lasting AS (
    SELECT
        gauges.*, raised_at, peak_value, limit_value, {_LASTING_MS} AS lasting_ms,
        iif(safe_max > 0, value / safe_max, 0.0) AS share
    FROM gauges LEFT JOIN anomaly_episodes AS episodes
        ON episodes.machine_id = gauges.machine_id AND episodes.signal = gauges.signal AND cleared_at IS NULL
), worded AS (
    SELECT
        machine_id, signal, share,
        iif(value > safe_max OR raised_at IS NOT NULL, coalesce(raised_at, timestamp), NULL) AS since,
        CASE
            WHEN value > safe_max AND raised_at IS NULL
                THEN printf('%s %g > %g %s', signal, value, safe_max, unit)
            WHEN value > safe_max
                THEN printf('%s %g > %g %s for ', signal, value, safe_max, unit) || {_LASTING}
            WHEN raised_at IS NOT NULL
                THEN printf('%s %g %s, peak %g > %g %s for ', signal, value, unit, peak_value, limit_value, unit)
                    || {_LASTING}
        END AS beyond,
        printf('%s %g of %g %s', signal, value, safe_max, unit) AS near
    FROM lasting
), reasons AS (
    SELECT
        machines.machine_id, name, mode, vibration, stale_after_s, {_SILENT_MS} AS silent_ms,
        hours_to_limit, hours_to_limit_low * 3600.0 AS low_s, hours_to_limit_high * 3600.0 AS high_s,
        max(heat.share, shake.share) AS share_of_limit,
        coalesce(min(heat.since, shake.since), heat.since, shake.since) AS since,
        coalesce(heat.beyond || ', ' || shake.beyond, heat.beyond, shake.beyond) AS beyond,
        iif(shake.share > heat.share, shake.near, heat.near) AS near
    FROM machines CROSS JOIN plant CROSS JOIN view_settings
    JOIN worded AS heat ON heat.machine_id = machines.machine_id AND heat.signal = 'temperature'
    JOIN worded AS shake ON shake.machine_id = machines.machine_id AND shake.signal = 'vibration'
), kinds AS (
    SELECT
        *,
        CASE
            WHEN beyond IS NULL THEN iif(hours_to_limit IS NULL, 'near', 'forecast')
            WHEN mode IN ('active', 'idle') THEN 'beyond'
            ELSE 'stopped'
        END AS kind
    FROM reasons
)
SELECT
    row_number() OVER (
        ORDER BY
            kind = 'near', kind = 'stopped', kind = 'forecast',
            iif(kind = 'forecast', hours_to_limit, -share_of_limit), coalesce(since, ''), machine_id
    ) AS rank,
    machine_id,
    name,
    kind,
    CASE kind
        WHEN 'forecast' THEN iif(
            mode = 'active',
            printf('vibration %g mm/s, limit in ', vibration) || {_SPAN},
            'vibration limit in ' || {_SPAN} || ' of running, now ' || iif(mode = 'maintenance', 'in ', '') || mode
        )
        WHEN 'near' THEN near
        ELSE beyond
    END
        || iif(kind = 'stopped', iif(mode = 'maintenance', ', now in maintenance', ', now offline'), '')
        || iif(silent_ms / 1000.0 > stale_after_s, ', silent for ' || {_SILENT}, '') AS reason,
    since,
    share_of_limit
FROM kinds
ORDER BY rank;
"""  # noqa: S608 - words of our own
"""The view `machines_to_maintain`."""

_HISTORY: Final = """
-- What each machine did by the minute, for people, with means. It is a union of two joins, as a condition on machine
-- and minute then reaches the primary key; it would not reach through a sum of both parts.
CREATE VIEW machine_history AS
WITH open AS (
    SELECT *, substr(timestamp, 1, 16) || ':00.000Z' AS minute FROM machines WHERE minute_readings > 0
), minutes AS (
    SELECT
        closed.machine_id,
        closed.minute,
        closed.readings + coalesce(minute_readings, 0) AS readings,
        closed.active_readings + coalesce(minute_active_readings, 0) AS active_readings,
        closed.anomalies + coalesce(minute_anomalies, 0) AS anomalies,
        efficiency_sum + coalesce(minute_efficiency_sum, 0) AS efficiency_sum,
        min(efficiency_min, coalesce(minute_efficiency_min, efficiency_min)) AS efficiency_min,
        temperature_sum + coalesce(minute_temperature_sum, 0) AS temperature_sum,
        max(coalesce(temperature_max, minute_temperature_max), coalesce(minute_temperature_max, temperature_max))
            AS temperature_max,
        vibration_sum + coalesce(minute_vibration_sum, 0) AS vibration_sum,
        max(coalesce(vibration_max, minute_vibration_max), coalesce(minute_vibration_max, vibration_max))
            AS vibration_max
    FROM machine_minutes AS closed
    LEFT JOIN machines ON machines.machine_id = closed.machine_id AND minute_readings > 0
        AND substr(timestamp, 1, 16) = substr(closed.minute, 1, 16)
    UNION ALL
    SELECT
        machine_id, minute, minute_readings, minute_active_readings, minute_anomalies, minute_efficiency_sum,
        minute_efficiency_min, minute_temperature_sum, minute_temperature_max, minute_vibration_sum,
        minute_vibration_max
    FROM open
    WHERE NOT EXISTS (
        SELECT 1 FROM machine_minutes AS closed
        WHERE closed.machine_id = open.machine_id AND closed.minute = open.minute
    )
)
SELECT
    machine_id,
    (SELECT name FROM machines WHERE machines.machine_id = minutes.machine_id) AS name,
    minute,
    readings,
    active_readings,
    anomalies,
    round(efficiency_sum / readings, 1) AS mean_efficiency,
    efficiency_min AS least_efficiency,
    round(temperature_sum / nullif(active_readings, 0), 2) AS mean_temperature,
    temperature_max AS peak_temperature,
    round(vibration_sum / nullif(active_readings, 0), 2) AS mean_vibration,
    vibration_max AS peak_vibration
FROM minutes;
"""
"""The view `machine_history`."""

STEP_VIEWS: Final = f"{_RANKING}\n{_HISTORY}"
