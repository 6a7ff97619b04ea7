"""Whose policies they are: names that every environment shares, made of a stack's kind and a resource's logical ID."""

import re

KINDS = [
    (r"CDKToolkit", "bootstrap"),
    (r"slipway-pipeline", "pipeline"),
    (r"slipway-pipeline-.*", "region"),  # the pipeline's copies of artifacts in another region
    (r"slipway-.*-database", "database"),
    (r"slipway-.*", "environment"),
]


def holder(stack, logical_id):
    """environment/Role of slipway-dev's Role1ABCC5F0: the CDK ends a name with eight digits of a hash."""
    kind = next((kind for pattern, kind in KINDS if re.fullmatch(pattern, stack)), stack)
    return f"{kind}/{re.sub('[0-9A-F]{8}$', '', logical_id)}"
