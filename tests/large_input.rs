//! Input of any size and from any source: constant memory, pipes, devices, and files that break off.
//!
//! Measures memory, so it runs alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::thread;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use support::World;
use support::command::{Ran, Stage, tipoff};
use support::memory::peak;

/// Peak memory of a dry run, whatever the size of its input.
const MAX_PEAK_MEGABYTES: u64 = 100;

/// Runs a dry run, and returns its exit code and its peak memory in megabytes.
fn peak_megabytes(file: &str) -> (Option<i32>, u64) {
    let mut dry_run = tipoff(&["submit", "--dry-run", "--json", file]);
    let mut child = dry_run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (ended, peak) = peak(&mut child);
    (ended.code(), peak >> 20)
}

/// Writes a file with what `line` gives for each number.
fn write(path: &str, lines: u32, line: impl Fn(u32) -> String) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for number in 0..lines {
        file.write_all(line(number).as_bytes()).unwrap();
    }
}

#[test]
fn a_file_of_any_size_and_shape_is_read_in_constant_memory() {
    let world = World::new();
    let path = |name: &str| world.path(name).display().to_string();
    write(&path("list"), 100_000, |n| format!("a{n}.example\n"));
    write(&path("table.csv"), 50_000, |n| {
        format!("{}domain,a{n}.example\n", if n == 0 { "kind,value\n" } else { "" })
    });
    write(&path("array.json"), 50_000, |n| {
        format!(
            "{}{{\"value\":\"a{n}.example\"}}{}",
            if n == 0 { "[\n" } else { ",\n" },
            if n == 49_999 { "]" } else { "" }
        )
    });
    write(&path("one-line"), 64, |_| "a".repeat(1024 * 1024));
    write(&path("one-cell.csv"), 64, |n| {
        format!("{}{}", if n == 0 { "value\n\"" } else { "" }, "a\n".repeat(512 * 1024))
    });
    write(&path("one-string.json"), 64, |n| {
        format!("{}{}", if n == 0 { "[\n\"" } else { "" }, "a".repeat(1024 * 1024))
    });
    let files = [
        ("list", 0),
        ("table.csv", 0),
        ("array.json", 0),
        ("one-line", 2),
        ("one-cell.csv", 2),
        ("one-string.json", 2),
    ];
    for (name, expected) in files {
        let (code, peak) = peak_megabytes(&path(name));
        assert_eq!(code, Some(expected), "{name}");
        assert!(0 < peak && peak <= MAX_PEAK_MEGABYTES, "{name}: {peak} MB");
    }
}

#[test]
fn what_breaks_off_is_refused_before_anything_is_sent() {
    let stage = Stage::new();
    let open_quote = stage.file("open.csv", "value\na.example\n\"b.example\nc.example\n");
    let cut = stage.file("cut.json", "[{\"value\":\"a.example\"},\n{\"value\":\"b.exam");
    stage.run("birdsite", &["submit", &open_quote]).failed(2, "a quote is not closed");
    stage.run("birdsite", &["submit", &cut]).failed(2, "is not JSON");
    let known = stage.run("birdsite", &["lookup", "--json", "a.example"]);
    assert!(known.lines().iter().all(|line| line["result"] != "known"), "{known:?}");
}

#[test]
fn a_pipe_is_read_like_a_file_and_one_without_a_writer_is_given_up() {
    let world = World::new();
    let pipe = world.path("pipe");
    mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let name = pipe.display().to_string();
    let mut dry_run = tipoff(&["submit", "--dry-run", "--json", &name]);
    Ran::of(&mut dry_run).failed(2, "no process has opened the pipe for writing");
    let writer = thread::spawn(move || fs::write(pipe, "a.example\n"));
    let read = Ran::of(&mut dry_run);
    writer.join().unwrap().unwrap();
    assert_eq!((read.code, read.lines().len()), (Some(0), 1), "{read:?}");
}

#[test]
fn a_device_without_an_end_is_refused_at_once() {
    Ran::of(&mut tipoff(&["submit", "--dry-run", "/dev/zero"])).failed(2, "it is not text");
}

#[test]
fn a_dry_run_says_by_its_exit_code_what_could_be_read() {
    let dry_run = |text: &str| {
        Ran::with_input(&mut tipoff(&["submit", "--dry-run", "--json", "-"]), text.as_bytes())
    };
    assert_eq!(dry_run("kind,value\ndomain,a.example\n").code, Some(0));
    let in_part = dry_run("kind,value\ndomain,a.example\nmartian,b.example\n");
    assert_eq!((in_part.code, in_part.lines().len()), (Some(5), 2), "{in_part:?}");
    let nothing = dry_run("kind,value\nmartian,b.example\n");
    assert_eq!((nothing.code, nothing.lines().len()), (Some(2), 1), "{nothing:?}");
    assert_eq!(dry_run("This is a letter to a colleague, about nothing.\n").code, Some(2));
}
