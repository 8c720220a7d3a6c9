"""String literals under the names of a class, as schemas and reference pages show them.

The sources have to be there; nothing of this is needed to run.
"""

import ast
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel


def docs_of_names(owner: type) -> dict[str, str]:
    """Name -> the literal under it, on one line; also of bases from the same package."""
    package = owner.__module__.partition(".")[0]
    docs: dict[str, str] = {}
    for one in reversed(owner.__mro__):
        if one.__module__.partition(".")[0] == package:
            docs |= _own_docs(one)
    return docs


def docs_of_fields(model: type[BaseModel]) -> dict[str, str]:
    """The same of a model's fields, by their names in JSON."""
    docs = docs_of_names(model)
    return {field.alias or name: docs[name] for name, field in model.model_fields.items() if name in docs}


def models_by_name(base: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """All models that were made of `base`, in its own package, as far as their modules are imported."""
    package = base.__module__.partition(".")[0]
    found: dict[str, type[BaseModel]] = {}
    for model in base.__subclasses__():
        if model.__module__.partition(".")[0] == package:
            found |= {model.__name__: model, **models_by_name(model)}
    return found


def _own_docs(owner: type) -> dict[str, str]:
    docs: dict[str, str] = {}
    for named, text in pairwise(_classes(owner.__module__)[owner.__name__].body):
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            for name in _names(named):
                docs[name] = " ".join(str(text.value.value).split())
    return docs


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    source = Path(sys.modules[module].__file__ or "").read_text(encoding="utf-8")
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _names(statement: ast.stmt) -> list[str]:
    """What an assignment, annotated or not, gives a value or a type to."""
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
