//! `tipoff manual`

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::failure::{Completion, Failure, Outcome};
use super::{Arguments, examples, output, text};

/// Write the manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The folder is created if it does not exist. `man` finds pages in the man1 folder of each \
                  path that `manpath` prints."
)]
pub struct Manual {
    /// Folder for the pages, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Manual {
    pub fn run(&self) -> Outcome {
        let failed = |path: &Path, error| {
            Failure::failed(format!("cannot write {}: {error}", path.display()))
        };
        fs::create_dir_all(&self.folder).map_err(|error| failed(&self.folder, error))?;
        let mut command = Arguments::command().disable_help_subcommand(true);
        command.build();
        let pages = pages(&command, "tipoff").map_err(|error| failed(&self.folder, error))?;
        for (name, page) in &pages {
            let path = self.folder.join(name);
            fs::write(&path, page).map_err(|error| failed(&path, error))?;
        }
        let count = text::count(pages.len() as u64, "page");
        output::line(&format!("{count} written to {}", self.folder.display()))?;
        Ok(Completion::Whole)
    }
}

/// The file names and pages of a command and of those below it.
fn pages(command: &Command, name: &str) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = vec![(format!("{}.1", name.replace(' ', "-")), page(command, name)?)];
    for command in command.get_subcommands() {
        pages.extend(self::pages(command, &format!("{name} {}", command.get_name()))?);
    }
    Ok(pages)
}

fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let version = command.get_version().unwrap_or_default();
    let man = Man::new(command.clone()).source(format!("tipoff {version}")).manual("Tipoff");
    man.render(&mut page)?;
    // `render` fills lines, which would join the examples.
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in examples::of(name).iter().flat_map(|example| example.lines()) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    page.extend(roff.render().into_bytes());
    Ok(page)
}
