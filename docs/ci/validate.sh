#!/bin/sh
# Checks all analyses below a folder (default: the working directory), for any CI service. Ends with 0 when all is well, 1 when there
# are problems, another code when it could not check. The same report for programs goes to the file that REPORT names.
set -u
cd "${1:-.}" || exit
status=0

echo '== canonical form'
tafc fmt -check -diff . || status=$?

echo '== validate'
tafc validate . || status=$?

if [ -n "${REPORT:-}" ]; then
  code=0
  tafc validate -format json . > "$REPORT" || code=$?
  [ "$code" -le 1 ] || status=$code
fi
exit "$status"
