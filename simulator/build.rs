//! Lists the files of the page, so that each of them is part of the program and none can be forgotten.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let page = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("page");
    println!("cargo::rerun-if-changed=page");
    let mut names = Vec::new();
    for entry in fs::read_dir(&page)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let served = [".html", ".css", ".js"].iter().any(|ending| name.ends_with(ending));
        if served && entry.file_type()?.is_file() {
            names.push(name);
        }
    }
    names.sort();
    let mut list = String::from(
        "/// Name and contents of every file of the page.\npub const FILES: &[(&str, &str)] = &[\n",
    );
    for name in names {
        writeln!(list, "    ({name:?}, include_str!({:?})),", page.join(&name)).expect("a string grows");
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("page_files.rs"), list)
}
