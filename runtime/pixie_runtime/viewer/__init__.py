"""A web page that shows what is captured, live, and that plays takes; docs/viewer.md.

The page is ours and all of it is served from here: nothing is loaded from elsewhere.
Only parameters cross the wire; the browser poses the same mesh that `body` does.
"""

from pixie_runtime.viewer.sink import ViewerSink
from pixie_runtime.viewer.take import TakeShow, view_take

__all__ = ["TakeShow", "ViewerSink", "view_take"]
