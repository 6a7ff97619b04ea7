#!/bin/bash
# The flow that Slipway replaces, without what would make it slower than it has to be (-X, the update check): the secret
# by the AWS CLI, then three starts of Flyway.
set -euo pipefail
if [ -n "$AWS" ]; then
  secret=$("$AWS" secretsmanager get-secret-value --secret-id "$MASTER_SECRET_ARN" --query SecretString --output text)
else
  secret=$(curl -sS -X POST -H 'X-Amz-Target: secretsmanager.GetSecretValue' -d "{\"SecretId\":\"$MASTER_SECRET_ARN\"}" "$AWS_ENDPOINT_URL_SECRETS_MANAGER" | sed 's/\\"/"/g')
fi
field() { sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' <<<"$secret"; }
FLYWAY_USER=$(field username)
FLYWAY_PASSWORD=$(field password)
export FLYWAY_USER FLYWAY_PASSWORD
bash "$FLYWAY" -skipCheckForUpdate info
bash "$FLYWAY" -skipCheckForUpdate migrate
bash "$FLYWAY" -skipCheckForUpdate info
