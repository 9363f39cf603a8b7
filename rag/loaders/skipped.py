"""Why files of other kinds are passed over when a folder is ingested."""

from pathlib import Path

_NO_TEXT = {
    "an image": ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .svg .ico .heic .psd .ai .eps",
    "a video": ".mp4 .mkv .avi .mov .webm .wmv .flv .m4v .mpg .mpeg",
    "a sound recording": ".mp3 .wav .flac .ogg .m4a .aac .opus .wma .mid",
    "an archive": ".zip .tar .gz .tgz .bz2 .xz .zst .7z .rar .jar .whl .iso .dmg .deb .rpm",
    "a program": ".exe .dll .so .dylib .bin .o .a .lib .class .pyc .pyd .wasm .apk .msi",
    "a font": ".ttf .otf .woff .woff2 .eot",
    "a data file": ".sqlite .sqlite3 .db .parquet .npy .npz .pkl .pt .pth .onnx .safetensors .gguf",
    "a lock or temporary file": ".tmp .swp .swo .bak .lock .part .crdownload",
}
_CONVERT = {
    ".doc": ".docx",
    ".docm": ".docx",
    ".dot": ".docx",
    ".dotx": ".docx",
    ".fodt": ".odt",
    ".ott": ".odt",
    ".rtf": ".docx",
    ".pages": ".docx",
    ".ppt": ".pptx",
    ".pptm": ".pptx",
    ".ppsx": ".pptx",
    ".potx": ".pptx",
    ".odp": ".pptx",
    ".key": ".pptx",
    ".xls": ".xlsx",
    ".xlsm": ".xlsx",
    ".xlsb": ".xlsx",
    ".xltx": ".xlsx",
    ".ods": ".xlsx",
    ".numbers": ".xlsx",
    ".mobi": ".html",
    ".djvu": ".pdf",
    ".ps": ".pdf",
    ".mht": ".html",
    ".mhtml": ".html",
    ".tex": ".pdf",
    ".msg": ".eml",
    ".adoc": ".html",
    ".org": ".md",
}
_WITHOUT_TEXT = {suffix: what for what, suffixes in _NO_TEXT.items() for suffix in suffixes.split()}


# MPEG transport streams have the suffix of TypeScript: packets of 188 bytes that begin with "G".
_PACKET, _SYNC = 188, b"G"
_PACKETS = 3


def is_video(path: Path) -> bool:
    """Tell whether a file with the suffix of TypeScript is a video; if it opens, that is."""
    if path.suffix.lower() != ".ts":
        return False
    try:
        with path.open("rb") as file:
            start = file.read(_PACKET * _PACKETS)
    except OSError:  # told when it is read
        return False
    whole = len(start) == _PACKET * _PACKETS
    # A text may have the letter there, but not the bytes that headers and padding consist of.
    binary = b"\0" in start or b"\xff" in start
    return whole and binary and set(start[::_PACKET]) == set(_SYNC)


def reason_for(path: Path, known: str) -> str:
    """Return in a few words why path, whose kind has no loader, is not read."""
    suffix = path.suffix.lower()
    if path.name.startswith("~$"):
        return "a lock file of an open document"
    if path.name.startswith("."):
        return "a hidden file"
    if suffix in _WITHOUT_TEXT:
        return f"{_WITHOUT_TEXT[suffix]} ({suffix}) holds no text to read"
    if suffix in _CONVERT:
        return f"{suffix} files are not read; save it as {_CONVERT[suffix]}"
    if not suffix:
        return f"its name has no suffix; rename it to one of the kinds read: {known}"
    return f"{suffix} files are not read; the kinds read are {known}"
