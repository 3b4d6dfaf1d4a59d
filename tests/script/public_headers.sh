#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# public_headers.sh FOLDER: its sources include <...> and "script/..." and nothing else.
set -u
count=$(cat "$1"/*.[ch] | grep -c '^ *# *include')
echo "$count includes"
[ "$count" -gt 0 ] || exit 1
! grep -nE '^ *# *include' "$1"/*.[ch] | grep -vE 'include (<|"script/)'
