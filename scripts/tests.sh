#!/bin/bash
# Runs all tests, in passes, and fails when one did: a pass without a single test counts as failed too.
set -uo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
real="processes or chaos"
failed=()

pass() {
    local title=$1
    shift
    local start=$SECONDS
    echo
    echo "== $title"
    "$python" -m pytest -q "$@" || failed+=("$title")
    echo "   $((SECONDS - start)) s"
}

# The files that carry a marker: reading all others takes each worker ten seconds.
marked() {
    grep -rlE --include='test_*.py' "mark\.($1)\b" tests
}

# More at a time than there are cores: all of them wait now and then, the processes most of the time.
pass "Everything without processes of the program and without a browser, on SQLite" -n 3 -m "not ($real or browser)"
pass "Pages in a browser" -n 3 -m "browser and not ($real)" $(marked browser)
pass "Real processes, on both databases" -p tests.scheduling -n 4 -m "($real) and not quiet" \
    tests/processes $(marked "processes|chaos" | grep -v ^tests/processes/)
pass "Real processes that are held to the second" -m "($real) and quiet" $(marked quiet)
if "$python" -c 'import sys; from tests.postgres import is_there; sys.exit(not is_there())'; then
    export KOMMOBRIDGE_TEST_DATABASE=postgres
    pass "What uses the database, on PostgreSQL" -n 3 --database-parts -m "not ($real or browser)"
elif [ "${CI:-}" = true ] || [ "${CI:-}" = 1 ]; then
    failed+=("PostgreSQL is not installed")
else
    echo "== Skipped: what uses the database, on PostgreSQL, which is not installed (make system)"
fi

echo
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "All passes are green, $SECONDS s."
