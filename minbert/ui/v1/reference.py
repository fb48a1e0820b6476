"""The reference of /v1 as one page without scripts, from the OpenAPI description."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:#1e293b;background:#fff}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #cbd5e1}pre{white-space:pre-wrap;overflow-wrap:anywhere;"
    "padding:.8rem;background:#f1f5f9}h2{margin-top:2.5rem}"
    "@media(prefers-color-scheme:dark){body{color:#e2e8f0;background:#0f172a}"
    "pre{background:#1e293b}td,th{border-color:#334155}a{color:#93c5fd}}"
)
SAMPLES: dict[str, Any] = {
    "first": "The lake froze early.",
    "second": "Ice covered the lake sooner than usual.",
    "text": "A quiet triumph.\nIt never takes off.",
    "texts": [
        *("Where is my parcel?", "It never arrived.", "Is it on its way?", "The box came open."),
        *("I was charged twice.", "Send me the bill.", "My card fails.", "Why this fee?"),
    ],
    "labels": [*["delivery"] * 4, *["billing"] * 4],
}
LEAD = (
    "Each address takes one POST with JSON and answers with JSON. All but <code>batch</code> "
    "and <code>labels</code> take "
    'one input, or <code>{"inputs": [...]}</code> with up to 64 and answer '
    '<code>{"answers": [...]}</code>. What is wrong with a request is told with 422 and the field, '
    "too much of it with 413."
)


def reference(schema: dict[str, Any]) -> str:
    """Return the page as HTML; it asks no other host for anything.

    Args:
        schema: as FastAPI describes the application.
    """
    schemas = schema["components"]["schemas"]
    posts = {path: item["post"] for path, item in schema["paths"].items()}
    parts = "".join(section(path, post, schemas) for path, post in posts.items())
    answers = [answer_of(post, schemas) for post in posts.values()]
    objects = "".join(
        f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schemas[name]["description"])}</p>'
        f"{fields(schemas[name]['properties'], None)}"
        for name in objects_in(answers, schemas)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>minBERT Lab: HTTP API</title><style>{STYLE}</style></head>"
        f"<body><main><h1>minBERT Lab: HTTP API</h1><p>{LEAD} "
        '<a href="openapi.json">openapi.json</a> describes it for programs.</p>'
        f"{parts}<h2>Objects in answers</h2>{objects}</main></body></html>"
    )


def answer_of(post: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the object that an address answers with."""
    told = post["responses"]["200"]["content"]["application/json"]["schema"]
    return first_of(told, schemas)


def objects_in(found: list[dict[str, Any]], schemas: dict[str, Any]) -> list[str]:
    """Return the names of the objects in some objects, and of those in them."""
    names: list[str] = []
    waiting = [*found]
    while waiting:
        for name in re.findall(
            r"#/components/schemas/(\w+)", json.dumps(waiting.pop(0), allow_nan=False)
        ):
            if name not in names:
                names.append(name)
                waiting.append(schemas[name]["properties"])
    return names


def section(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return what one address takes and answers, with an example."""
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    asked = first_of(body, schemas)
    required = asked.get("required", ())
    sample = {name: SAMPLES[name] for name in asked["properties"] if name in SAMPLES}
    told = json.dumps(sample, allow_nan=False)
    return (
        f'<section id="{escape(operation["operationId"])}"><h2>POST /v1{escape(path)}</h2>'
        f"<p>{escape(operation['summary'])}.</p>"
        f"{fields(asked['properties'], required)}"
        f"<pre>curl -s -H 'Content-Type: application/json' -d '{escape(told)}' "
        f"http://127.0.0.1:7860/v1{escape(path)}</pre>"
        f"<h3>Answer</h3>{fields(answer_of(operation, schemas)['properties'], None)}</section>"
    )


def first_of(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the object that a schema means, of alternatives the first."""
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in schema:
            return first_of(schema[alternatives][0], schemas)
    name = schema["$ref"].rsplit("/", 1)[-1]
    found: dict[str, Any] = schemas[name]
    return found


def fields(properties: dict[str, Any], required: Any) -> str:  # noqa: ANN401 - names, or None
    """Return a table of an object's fields; `required` None: of an answer."""
    told = {name: field.get("description", "") for name, field in properties.items()}
    for name in properties if required is not None else ():
        if name not in required:
            told[name] += (
                f" Default: {json.dumps(properties[name].get('default'), allow_nan=False)}."
            )
    heads = ("Field", "Kind", "What") if any(told.values()) else ("Field", "Kind")
    rows = []
    for name, field in properties.items():
        cells = [kind(field), escape(told[name].strip())][: len(heads) - 1]
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row"><code>{escape(name)}</code></th>{row}</tr>')
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def kind(field: dict[str, Any]) -> str:
    """Return a field's kind in words, as HTML."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(kind(each) for each in field["anyOf"]))
    if "enum" in field:
        return escape(", ".join(map(str, field["enum"])))
    if "$ref" in field:
        name = escape(field["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "additionalProperties" in field and isinstance(field["additionalProperties"], dict):
        return f"object of name to {kind(field['additionalProperties'])}"
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return names.get(field.get("type", "any"), escape(str(field.get("type", "any"))))
