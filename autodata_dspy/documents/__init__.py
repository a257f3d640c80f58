"""Documents in: files, folders and data sets → Document, with one clear line for whatever cannot be one.

One file a format, each with `read(path, name, domain)`; `loading` knows which suffix is whose. The libraries that a
format needs are imported when a file of that format is read, not before.
"""

from autodata_dspy.documents.checks import check_documents, digest
from autodata_dspy.documents.chunking import chunks
from autodata_dspy.documents.loading import load_documents

__all__ = ["check_documents", "chunks", "digest", "load_documents"]
