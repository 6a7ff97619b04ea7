"""derived.json, read."""

import json
import pathlib

ROWS = json.loads(pathlib.Path(__file__).with_name("derived.json").read_text(encoding="utf-8"))
