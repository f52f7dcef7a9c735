#!/bin/sh
# usage: k8s/overlays/demo/secrets.sh [FOLDER]. Makes what the demo's secrets are read from; what is there stays.
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/../../.."
[ -s "$folder/database-password" ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/database-password"
printf 'postgresql://zwrotka:%s@postgresql:5432/zwrotka' "$(cat "$folder/database-password")" >"$folder/database-url"
# Empty until you fill them: without a relay mail becomes files, without a token the Telegram room stays shut.
touch "$folder/relay-url" "$folder/telegram-token"
unset ZWROTKA_DATABASE
export PYTHONPATH=.:protos:clients/python ZWROTKA_HOME="$folder" ZWROTKA_DATABASE_FILE="$folder/database-url"
exec "${PYTHON:-.venv/bin/python}" -m services secrets
