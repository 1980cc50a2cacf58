//! A file is written to what its name stands for, and never put in the place of a link, a pipe or a device.

use records::output::{check_file, check_folder, write, Output};
use std::fs::{self, FileType};
use std::io::{Read, Write};
use std::os::unix::fs::{symlink, FileTypeExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

fn kind(path: &Path) -> FileType {
    fs::symlink_metadata(path).expect("something is there").file_type()
}

/// Whether `program`, called with `path` and then `args`, succeeds.
fn run(program: &str, path: &Path, args: &[&str]) -> bool {
    Command::new(program).arg(path).args(args).status().expect("the program starts").success()
}

#[test]
fn an_ordinary_file_is_replaced_whole_and_keeps_its_permissions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/folder/file");
    write(&path, "first").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

    let mut output = Output::create(&path).unwrap();
    output.file().write_all(b"half").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first", "nothing changes before the end");
    drop(output);
    assert_eq!(fs::read(&path).unwrap(), b"first", "an output that is not finished leaves the old file");

    write(&path, "second").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn links_are_followed() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("store")).unwrap();
    fs::write(at("store/file"), "old").unwrap();
    symlink("store/file", at("link")).unwrap();
    symlink(at("link"), at("second")).unwrap();
    symlink("store/none", at("dangling")).unwrap();
    for (name, target) in [("link", "store/file"), ("second", "store/file"), ("dangling", "store/none")] {
        check_file(&at(name)).unwrap();
        write(&at(name), name).unwrap();
        assert!(kind(&at(name)).is_symlink(), "{name} is no link any more");
        assert_eq!(fs::read_to_string(at(target)).unwrap(), name);
    }
    symlink("round", at("round")).unwrap();
    let error = write(&at("round"), "").unwrap_err().to_string();
    assert!(error.contains("round: cannot be written") && error.contains("links"), "{error}");
}

#[test]
fn a_pipe_gets_the_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(run("mkfifo", &pipe, &[]));
    check_file(&pipe).unwrap();
    let content = vec![7; 300_000]; // more than a pipe holds
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut bytes = vec![];
            fs::File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        }
    });
    write(&pipe, &content).unwrap();
    assert!(reader.join().unwrap() == content);
    assert!(kind(&pipe).is_fifo());

    let error = write(&pipe, "x").unwrap_err().to_string();
    assert!(error.contains("start the reader first"), "{error}");
    assert!(kind(&pipe).is_fifo());
}

#[test]
fn a_device_stays_a_device() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("null");
    // the device itself, where this user may make none: then it cannot be replaced either
    let null = match run("mknod", &made, &["c", "1", "3"]) {
        true => made,
        false => "/dev/null".into(),
    };
    check_file(&null).unwrap();
    write(&null, "gone").unwrap();
    assert!(kind(&null).is_char_device());
    let error = write(Path::new("/dev/full"), "x").unwrap_err().to_string();
    assert!(error.contains("/dev/full: cannot be written"), "{error}");
}

#[test]
fn what_cannot_be_written_is_named_before_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = check_file(dir.path()).unwrap_err().to_string();
    assert!(error.contains("is a folder, expected a file"), "{error}");
    let error = check_file(&dir.path().join("no/file")).unwrap_err().to_string();
    assert!(error.contains("no/file: cannot be written: ") && !error.contains(".anser-"), "{error}");
    let error = check_folder(&file).unwrap_err().to_string();
    assert!(error.contains("is a file, expected a folder"), "{error}");
    check_folder(&dir.path().join("new/folder")).unwrap();
    assert!(!dir.path().join("new").exists());
}
