-- Accepts a job: blocked behind an unfinished one of its lane, else waiting. An empty lane never
-- blocks. No row is added where the id, or the external id in the project, is taken.
INSERT INTO jobs (
    id, kind, project, entity, lane, state, phase, options, descriptor_sha256,
    input_blob, input_name, input_media_type, input_size_bytes, input_sha256,
    client_ref, dialect, external_id, dialect_data, credential, parent, created_at, changed_at
)
VALUES (
    :id, :kind, :project, :entity, :lane,
    CASE
        WHEN :lane <> '' AND EXISTS (
            SELECT 1 FROM jobs
            WHERE project = :project AND lane = :lane AND lane <> ''
                AND state IN ('blocked', 'waiting', 'running')
        ) THEN 'blocked'
        ELSE 'waiting'
    END,
    'queued', :options, :descriptor_sha256,
    :input_blob, :input_name, :input_media_type, :input_size_bytes, :input_sha256,
    :client_ref, :dialect, :external_id, :dialect_data, :credential, :parent, :created_at, :created_at
)
ON CONFLICT DO NOTHING
