#!/usr/bin/env bash
# Generates clients from the description of the interface, as others do, and checks that what an event is
# stays known in them: tests/interface/client.ts and client.py must compile, with the errors they expect.
#
#   scripts/check-clients.sh [target/debug/samsyn]
#
# It installs the generators from npm and PyPI into target/, so it is not part of `make test`; the tests of
# host/api/src/openapi hold the description to what it relies on.
set -euo pipefail

cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
samsyn="$(realpath "${1:-$target/debug/samsyn}")"
tests="$PWD/tests/interface"
mkdir -p "$target/client-tools"
cd "$target/client-tools"

"$samsyn" openapi >openapi.json

[ -d node_modules/openapi-typescript ] ||
    npm install --silent --no-save --no-audit --no-fund openapi-typescript@7.13.0 typescript@5.9.3
npx openapi-typescript openapi.json --output api.ts
cp "$tests/client.ts" client.ts
npx tsc --noEmit --strict client.ts
echo "TypeScript: an event is an event"

if [ ! -x python/bin/mypy ]; then
    python3 -m venv python
    python/bin/pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1 mypy==1.18.2 \
        httpx attrs python-dateutil types-python-dateutil
fi
rm -rf generated
python/bin/openapi-python-client generate --path openapi.json --output-path generated >generated.log 2>&1 || {
    cat generated.log >&2
    exit 1
}
cp "$tests/client.py" client.py
# An import of the package itself, so that all of it is read.
PYTHONPATH=generated python/bin/python -c 'import samsyn_client.models'
MYPYPATH=generated python/bin/mypy --warn-unused-ignores client.py
echo "Python: an event is an event"
