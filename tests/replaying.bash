# What the tests of metaspn-replay share, beside helper.bash.

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

replay()
{
    metaspn-replay -C "$ws" "$@"
}

# ids OPTION ...: runs a replay that must succeed and shows the ids in one line
ids()
{
    replay "$@" >replayed || true
    ids_of replayed
}

# A store of three days and both kinds, in the order of time.
three_days()
{
    {
        signal s1 2026-02-03T10:00:00Z source='"ingest"' entity_refs='[{"ref_type":"handle","value":"alice","platform":"x"}]'
        signal s2 2026-02-03T11:00:00Z source='"ingest.social"' payload_type='"EntityResolved"'
        signal s3 2026-02-04T10:00:00Z source='"route"' payload='{"status":"READY","n":1.0}'
        signal s4 2026-02-05T10:00:00Z source='"ingester"' entity_refs='[{"kind":"handle","identifier":"bob","platform":"x"}]'
        signal s5 2026-02-05T10:00:00.5Z payload='{"status":"DONE","n":2,"deep":{"er":[1],"on":true}}'
        emission e1 2026-02-03T10:30:00Z caused_by='"s1"'
        emission e2 2026-02-05T10:00:00Z caused_by='"s4"' emission_type='"Sent"'
    } | metaspn-write -C ws
}
