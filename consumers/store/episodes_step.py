"""The step of the schema that brings episodes, alerts, and the ranking; see `schema`."""

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

RANKING: Final = f"""
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

STEP_EPISODES: Final = """
-- One row per time in which a signal (temperature, vibration) of a machine was beyond its limit. Values are in °C or
-- mm/s, times by the machine's clock. readings: those beyond the limit. mode: when it was raised. cleared_at: NULL
-- while it goes on. calm_readings: those in a row, up to the latest, that were well within the limit.
CREATE TABLE anomaly_episodes (
    id INTEGER PRIMARY KEY,
    machine_id INTEGER NOT NULL,
    signal TEXT NOT NULL,
    limit_value REAL NOT NULL,
    raised_at TEXT NOT NULL,
    raised_value REAL NOT NULL,
    peak_value REAL NOT NULL,
    peak_at TEXT NOT NULL,
    readings INTEGER NOT NULL,
    mode TEXT NOT NULL,
    cleared_at TEXT,
    calm_readings INTEGER NOT NULL
);
CREATE INDEX open_episodes ON anomaly_episodes (machine_id, signal) WHERE cleared_at IS NULL;

-- Readings beyond a limit that may become part of an episode: there are few. ago: so many readings of the machine
-- have come since.
CREATE TABLE excesses (
    machine_id INTEGER NOT NULL,
    signal TEXT NOT NULL,
    ago INTEGER NOT NULL,
    at TEXT NOT NULL,
    value REAL NOT NULL,
    mode TEXT NOT NULL,
    PRIMARY KEY (machine_id, signal, ago)
);

ALTER TABLE machines ADD COLUMN last_anomaly_at TEXT;
ALTER TABLE machines ADD COLUMN open_episodes INTEGER NOT NULL DEFAULT 0;
CREATE TABLE last_anomalies (machine_id INTEGER PRIMARY KEY, timestamp TEXT, id INTEGER);
INSERT INTO last_anomalies
SELECT machine_id, timestamp, max(id) FROM manufacturing_analytics
WHERE is_anomaly = 1 AND typeof(machine_id) = 'integer' AND strftime('%Y-%m-%dT%H:%M:%fZ', timestamp) = timestamp
GROUP BY machine_id;
UPDATE machines SET last_anomaly_at = (
    SELECT timestamp FROM last_anomalies WHERE last_anomalies.machine_id = machines.machine_id
);
DROP TABLE last_anomalies;

-- One row: of the settings of the run that goes on, or was the last, what the views need.
CREATE TABLE view_settings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    temperature_safe_max_c REAL NOT NULL,
    vibration_safe_max_mm_s REAL NOT NULL,
    stale_after_s REAL NOT NULL
);
INSERT INTO view_settings VALUES (1, 90, 4.5, 60);

-- The machines that have been told as silent. since: the timestamp of its latest reading.
CREATE TABLE silences (
    machine_id INTEGER PRIMARY KEY,
    since TEXT NOT NULL
);

-- What is still to be told by ALERT_COMMAND. machine_id: NULL if it concerns the whole feed. details: JSON.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    machine_id INTEGER,
    text TEXT NOT NULL,
    details TEXT NOT NULL,
    at TEXT NOT NULL
);
"""
