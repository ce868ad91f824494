"""The step of the schema with which the account is looked up, not counted anew."""

from typing import Final

STEP_AUDIT: Final = """
DROP VIEW ingest_audit;

-- deleted_rows: the rows of manufacturing_analytics that someone deleted by hand. The trigger counts every row that
-- is deleted; what is let go because it is old is taken off again in the same transaction.
ALTER TABLE retention ADD COLUMN deleted_rows INTEGER NOT NULL DEFAULT 0;
UPDATE retention SET deleted_rows = max(0,
    (SELECT coalesce(sum(stored_lines), 0) FROM source_files) - expired_rows
    - (SELECT count(*) FROM manufacturing_analytics)
);
CREATE TRIGGER count_deleted_rows AFTER DELETE ON manufacturing_analytics BEGIN
    UPDATE retention SET deleted_rows = deleted_rows + 1;
END;

-- The account: every line that was read is a row, a rejected message, expired or blank, in each stream
-- and against the tables themselves. balances: 1 if it is so.
-- deleted_rows: of all streams together, the rows that someone deleted by hand (less than 0: someone added rows).
-- To count the rows would be a scan. Ids rise by one and the lowest expire first, so the lowest and the highest show
-- how many there are, unless some were deleted in their midst, which the trigger has counted.
CREATE VIEW ingest_audit AS
WITH by_ids AS (
    SELECT
        retention.deleted_rows AS counted,
        (SELECT coalesce(sum(stored_lines), 0) FROM source_files) - expired_rows - coalesce(
            (SELECT max(id) FROM manufacturing_analytics) - (SELECT min(id) FROM manufacturing_analytics) + 1, 0
        ) AS missing
    FROM retention
), kept AS (
    SELECT CASE counted WHEN 0 THEN missing ELSE max(counted, missing) END AS deleted_rows FROM by_ids
), rejected (source_file_id, messages) AS (
    SELECT source_file_id, count(*) FROM rejected_messages GROUP BY source_file_id
)
SELECT
    source_files.id AS source_file_id,
    path,
    why_new,
    read_bytes - begin_bytes AS read_bytes,
    read_lines,
    stored_lines,
    rejected_lines,
    blank_lines,
    expired_lines,
    kept.deleted_rows,
    kept.deleted_rows = 0
        AND read_lines = stored_lines + rejected_lines + blank_lines
        AND rejected_lines = coalesce(rejected.messages, 0) + expired_lines AS balances,
    first_read_at,
    last_read_at
FROM source_files
CROSS JOIN kept
LEFT JOIN rejected ON rejected.source_file_id = source_files.id;
"""
