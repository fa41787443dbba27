//! The final stage of the Dockerfile, laid out as a container engine does, without an engine.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::source;

/// The instructions after the last FROM.
pub struct FinalStage(Vec<(String, String)>);

impl FinalStage {
    pub fn read() -> Self {
        let text = fs::read_to_string(source("deploy/docker/Dockerfile")).unwrap();
        let without_comments: Vec<_> =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let joined = without_comments.join("\n").replace("\\\n", " ");
        let mut instructions = Vec::new();
        for line in joined.lines().filter(|line| !line.trim().is_empty()) {
            let (name, rest) = line.trim().split_once(' ').unwrap();
            if name == "FROM" {
                instructions.clear();
            }
            instructions.push((name.to_owned(), rest.trim().to_owned()));
        }
        assert_eq!(instructions[0], ("FROM".to_owned(), "scratch".to_owned()));
        // A layout by hand knows these alone.
        for (name, _) in &instructions {
            let known = [
                "FROM",
                "COPY",
                "USER",
                "VOLUME",
                "EXPOSE",
                "STOPSIGNAL",
                "HEALTHCHECK",
                "ENTRYPOINT",
                "CMD",
            ];
            assert!(known.contains(&name.as_str()), "{name}");
        }
        Self(instructions)
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(instruction, _)| instruction == name);
        named.map(|(_, rest)| rest.as_str()).collect()
    }

    /// The arguments of an instruction that occurs once.
    pub fn one(&self, name: &str) -> &str {
        let [only] = <[&str; 1]>::try_from(self.all(name)).unwrap();
        only
    }

    /// ENTRYPOINT and CMD.
    pub fn command(&self) -> Vec<String> {
        let mut command = list(self.one("ENTRYPOINT"));
        command.extend(list(self.one("CMD")));
        command
    }

    /// The command of HEALTHCHECK.
    pub fn health_check(&self) -> Vec<String> {
        list(self.one("HEALTHCHECK").split_once(" CMD ").unwrap().1)
    }

    /// The user and the group, by number.
    pub fn user(&self) -> (u32, u32) {
        let (user, group) = self.one("USER").split_once(':').unwrap();
        (user.parse().unwrap(), group.parse().unwrap())
    }

    /// Does what the COPY instructions do. `built` is what the build stage leaves at a path; everything else is taken
    /// from this machine, as the build stage has it from its own system.
    pub fn lay_out(&self, root: &Path, built: &[(&str, &Path)]) {
        for copy in self.all("COPY") {
            let words: Vec<&str> = copy.split_whitespace().collect();
            let (flags, paths): (Vec<&str>, Vec<&str>) =
                words.into_iter().partition(|word| word.starts_with("--"));
            assert_eq!(flags[0], "--from=build");
            let [from, to] = <[&str; 2]>::try_from(paths).unwrap();
            let from =
                built.iter().find(|(path, _)| *path == from).map_or(Path::new(from), |it| it.1);
            let to = place(root, from, to);
            if from.is_dir() {
                assert_eq!(
                    fs::read_dir(from).unwrap().count(),
                    0,
                    "only an empty folder is copied"
                );
                fs::create_dir_all(&to).unwrap();
            } else {
                fs::copy(from, &to).unwrap();
            }
            for flag in &flags[1..] {
                if let Some(owner) = flag.strip_prefix("--chown=") {
                    let (user, group) = owner.split_once(':').unwrap();
                    chown(&to, user.parse().ok(), group.parse().ok()).unwrap();
                } else {
                    let mode = flag.strip_prefix("--chmod=").unwrap();
                    let mode = u32::from_str_radix(mode, 8).unwrap();
                    fs::set_permissions(&to, Permissions::from_mode(mode)).unwrap();
                }
            }
        }
    }
}

/// Where COPY puts a file; makes the folders above it, which all users can read.
fn place(root: &Path, from: &Path, to: &str) -> PathBuf {
    let mut path = root.join(to.strip_prefix('/').unwrap());
    if to.ends_with('/') {
        path.push(from.file_name().unwrap());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(path.parent().unwrap()).unwrap();
    path
}

fn list(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A root file system and what a container engine would do with it.
pub struct Root<'a> {
    pub folder: &'a Path,
    /// Stays writable: the volume.
    pub volume: &'a Path,
    pub user: (u32, u32),
}

impl Root<'_> {
    /// A command in the container: in the root file system, which is read-only but for the volume, as the user, with
    /// no capability and no environment. The network is that of this machine. The process is the direct child.
    pub fn command(&self, command: &[String]) -> Command {
        const ENTER: &str = r#"
            mount --bind "$1" "$1"
            mount --bind "$2" "$1/var/lib/tipoff"
            mount -t proc proc "$1/proc"
            mount --bind /dev "$1/dev"
            mount -o remount,bind,ro "$1"
            root=$1 user=$3 group=$4
            shift 4
            exec env -i setpriv --no-new-privs -- \
                unshare --root="$root" --wd=/ --setgid="$group" --setuid="$user" -- "$@"
        "#;
        for folder in ["proc", "dev"] {
            fs::create_dir_all(self.folder.join(folder)).unwrap();
        }
        let mut inside = Command::new("unshare");
        inside.args(["--mount", "--", "sh", "-eu", "-c", ENTER, "sh"]);
        inside.arg(self.folder).arg(self.volume);
        inside.args([self.user.0.to_string(), self.user.1.to_string()]).args(command);
        inside
    }
}
