"""Maps a function over independent parts.

base       the interface of an engine, and this machine as one
threads    in threads of this process, where the input is trusted
isolated   in child processes, which a part may take down with it
cluster    on the workers of a Dask cluster; imported only when one is asked for
dask_link  the connection to its scheduler
dask_map   parts on their way through it
"""

from pipeline.engine.base import Engine, LocalEngine, open_engine
from pipeline.engine.isolated import Crashed, limited_memory, map_isolated
from pipeline.engine.threads import map_ahead, map_threads

__all__ = [
    "Crashed",
    "Engine",
    "LocalEngine",
    "limited_memory",
    "map_ahead",
    "map_isolated",
    "map_threads",
    "open_engine",
]
