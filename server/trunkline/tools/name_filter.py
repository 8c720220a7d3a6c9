"""Which files a `glob` means: patterns as in `.gitignore`, on a linear engine, because models write them."""

from collections.abc import Callable

from trunkline.tools.confinement import refused


def name_filter(glob: str | None) -> Callable[[str], bool]:
    """Whether a path, with `/`, is meant; raises TOOL_FAILED when the pattern is none."""
    if glob is None:
        return bool
    from pathspec import GitIgnoreSpec

    try:
        spec = GitIgnoreSpec.from_lines([glob], backend="re2")
    except Exception:  # noqa: BLE001 - pathspec, re and re2 each have errors of their own
        raise refused(f"{glob} is not a pattern of files.") from None
    return lambda path: bool(spec.check_file(path).include)
