#!/bin/sh
# Makes the store's credentials once. Only the folder is closed to others: the containers run as users of their own, and
# each gets to see no more than the files that docker-compose.yml gives it.
set -eu

folder=$(cd "$(dirname "$0")" && pwd)/secrets
if [ -e "$folder/aws-credentials" ]; then
    echo "$folder is complete; remove it and the volumes (docker compose down --volumes) for new secrets."
    exit 0
fi

user=darkroom
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

umask 022
mkdir -p "$folder"
chmod 700 "$folder"
printf '%s' "$user" >"$folder/minio-root-user"
printf '%s' "$password" >"$folder/minio-root-password"
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$user" "$password" >"$folder/aws-credentials"
echo "Wrote the store's credentials to $folder."
