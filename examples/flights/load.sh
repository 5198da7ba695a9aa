#!/usr/bin/env bash
# Loads the flights into a running server and asks a few questions: load.sh [ADDRESS]
set -euo pipefail
cd "$(dirname "$0")"
flights="http://${1:-localhost:8080}/v1/workspaces/flights"

ask() {
    echo "-- $1"
    curl -sS --fail-with-body "$flights/query" -d "$1"
}

curl -sS --fail-with-body -X PUT "$flights/program" --data-binary @flights.sql
echo
for table in airlines planes weather flights; do
    curl -sS --fail-with-body "$flights/tables/$table" -H 'Content-Type: text/csv' -H 'Content-Encoding: gzip' \
        --data-binary "@data/$table.csv.gz"
    echo
done
ask 'SELECT * FROM delays_by_weather ORDER BY departures DESC'
ask 'SELECT * FROM punctuality ORDER BY on_time_percent DESC'

# A flight departs more than five hours late, and is cancelled after all.
key='"scheduled":"2013-01-01T10:15:00Z","carrier":"UA","flight":1545,"origin":"EWR"'
curl -sS --fail-with-body "$flights/tables/flights?op=patch" -d "{$key,\"dep_delay\":320}"
echo
ask 'SELECT * FROM very_late WHERE flight = 1545'
curl -sS --fail-with-body "$flights/tables/flights?op=delete" -d "{$key}"
echo
ask 'SELECT * FROM very_late WHERE flight = 1545'
