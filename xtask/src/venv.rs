use std::fs;
use std::path::PathBuf;

use crate::{places, process};

/// The Python of an environment that holds what `xtask/requirements.txt` lists; made on first use, and again
/// whenever the list changes.
pub(crate) fn python() -> Result<PathBuf, String> {
    let folder = places::cache()?.join("venv");
    let python = folder.join("bin").join("python");
    let list = places::repository().join("xtask").join("requirements.txt");
    let wanted = fs::read_to_string(&list).map_err(|e| format!("cannot read {}: {e}", list.display()))?;
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("making a Python environment in {}", folder.display());
    let [folder_text, list_text] = [&folder, &list].map(|p| p.to_string_lossy().into_owned());
    process::run(&mut process::program("python3", &["-m", "venv", "--clear", &folder_text]))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &list_text];
    process::run(&mut process::program(&python, &install))?;
    fs::write(&stamp, wanted).map_err(|e| format!("cannot write {}: {e}", stamp.display()))?;
    Ok(python)
}
