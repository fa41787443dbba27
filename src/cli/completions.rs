//! `tipoff completions`

use clap_complete::{Shell, generate};

use super::failure::{Completion, Outcome};
use super::{command, output};

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash, write them to ~/.local/share/bash-completion/completions/tipoff. For zsh, to a \
                  file `_tipoff` in a folder of fpath. For fish, to ~/.config/fish/completions/tipoff.fish. \
                  For the others, load them in the profile of the shell."
)]
pub struct Completions {
    /// Shell that loads them
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut command(), "tipoff", &mut script);
        output::bytes(&script)?;
        Ok(Completion::Whole)
    }
}
