"""`meiku init`: makes a data folder before anything is served from it, and tells its id."""

import shlex

from meiku.cli.output import AsJson, show
from meiku.cli.store import DataFolder
from meiku.config import Settings
from meiku.data_folder import initialise


def init_command(data: DataFolder = None, as_json: AsJson = False) -> None:
    """Make a data folder, and tell its id; one that is there is left as it is. 建立数据目录并显示其标识。

    A service that is started with MEIKU_DATA_ID serves this folder and no other: where its disk is not
    mounted, it says so instead of beginning anew. MEIKU_DATA_ID fixes the id of a new folder, too.
    """
    settings = Settings.from_environment({"data_folder": data})
    data_id = initialise(settings.data_folder, settings.data_id)
    where = str(settings.data_folder.resolve())
    command = f"MEIKU_DATA_ID={shlex.quote(data_id)} meiku serve --data {shlex.quote(where)}"
    told = f"{where} is data folder {data_id}\nto serve it and no other 只服务这个目录：\n  {command}"
    show({"data_folder": where, "data_id": data_id}, told, as_json)
