"""What care of an index came to, as plain JSON values."""

from rag.care.compact import Compacted
from rag.care.delete import Deleted
from rag.care.findings import Finding, Verified
from rag.care.migrate import Migrated
from rag.care.package import Manifest
from rag.care.repair import Repaired
from rag.care.snapshot import Restored
from rag.views import Json


def verified_view(verified: Verified) -> Json:
    """Return what reading everything came to."""
    return {
        "healthy": not verified.findings,
        "documents": verified.documents,
        "passages": verified.passages,
        "vectors": verified.vectors,
        "findings": [_finding_view(finding) for finding in verified.findings],
    }


def _finding_view(finding: Finding) -> Json:
    return {
        "part": finding.part.value,
        "where": finding.where,
        "problem": finding.problem,
        "remedy": finding.remedy,
        "documents": list(finding.documents),
    }


def repaired_view(repaired: Repaired) -> Json:
    """Return what a repair did; healthy means that the index answers and nothing is left."""
    return {
        "healthy": repaired.healthy,
        "database": str(repaired.database) if repaired.database else None,
        "saved": repaired.saved,
        "documents": [str(file) for file in repaired.documents],
        "mended": [part.value for part in repaired.mended],
        "left": [_finding_view(finding) for finding in repaired.left],
    }


def snapshot_view(manifest: Manifest, file: str) -> Json:
    """Return what a snapshot holds, and where it is."""
    return {
        "file": file,
        "index": manifest.index,
        "created": manifest.created,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "embedder": manifest.embedder,
    }


def restored_view(restored: Restored, file: str) -> Json:
    """Return what was restored; `moved` is where a database that could not be opened went."""
    moved = {"moved": str(restored.moved)} if restored.moved else {}
    return snapshot_view(restored.manifest, file) | moved


def deleted_view(deleted: tuple[Deleted, ...]) -> Json:
    """Return what was deleted; `returns` says that the file is there still."""
    return {
        "deleted": [
            {
                "id": each.id,
                "source": each.source,
                "also_in": list(each.also_in),
                "file": str(each.file),
                "returns": each.returns,
            }
            for each in deleted
        ]
    }


def compacted_view(compacted: Compacted) -> Json:
    """Return what compacting came to; sizes in bytes."""
    return {
        "bytes_before": compacted.before,
        "bytes_after": compacted.after,
        "terms_deleted": compacted.terms,
        "log_empty": compacted.log_empty,
        "quarantined": len(compacted.quarantined),
    }


def migrated_view(migrated: Migrated) -> Json:
    """Return what a migration did."""
    return {
        "embedder_before": migrated.before,
        "embedder": migrated.after,
        "documents": migrated.documents,
        "passages": migrated.passages,
        "embedded": migrated.embedded,
        "kept": str(migrated.kept) if migrated.kept else None,
    }
