//! The console blocks of a document.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A document of the repository.
pub struct Document {
    /// Its path in the repository.
    pub name: String,
    pub text: String,
}

/// A command of a document, and what the document says that it prints.
#[derive(Debug)]
pub struct Step {
    /// The line of the document, from 1.
    pub line: usize,
    pub command: String,
    /// Empty if the document shows no output.
    pub output: Vec<String>,
    /// Where the output is in the text.
    pub output_range: Range<usize>,
}

impl Step {
    /// The exit code that a remark such as `# exit code 5` states, otherwise 0.
    pub fn exit_code(&self) -> i32 {
        let stated = self.command.split("exit code ").nth(1);
        stated.map_or(0, |code| code.trim().parse().unwrap())
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and all documents, by name.
pub fn documents() -> Vec<Document> {
    let mut names: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| Path::new("docs").join(entry.unwrap().file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    names.extend(
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "certs/README.md"].map(PathBuf::from),
    );
    names.sort();
    names.iter().map(|name| Document::read(name.to_str().unwrap())).collect()
}

impl Document {
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name)).unwrap();
        Self { name: name.to_owned(), text }
    }

    /// The commands of all console blocks, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.blocks("console").into_iter().flat_map(|block| self.steps_of(block)).collect()
    }

    /// The text of the first block of a language.
    pub fn block(&self, language: &str) -> &str {
        &self.text[self.blocks(language)[0].clone()]
    }

    /// Lines of blocks in other languages that look like a command of a shell.
    pub fn commands_elsewhere(&self) -> Vec<&str> {
        let console = self.blocks("console");
        let others = self.code_blocks().into_iter().filter(|(_, range)| !console.contains(range));
        let lines = others.flat_map(|(_, range)| self.text[range].lines());
        lines.filter(|line| line.starts_with("$ ") || line.starts_with("tipoff ")).collect()
    }

    /// The code between backticks in sentences and tables.
    pub fn inline_code(&self) -> Vec<String> {
        let parser = Parser::new_ext(&self.text, Options::ENABLE_TABLES);
        let code = parser.filter_map(|event| match event {
            Event::Code(code) => Some(code.into_string()),
            _ => None,
        });
        code.collect()
    }

    fn blocks(&self, language: &str) -> Vec<Range<usize>> {
        let blocks = self.code_blocks().into_iter().filter(|(of, _)| of == language);
        blocks.map(|(_, range)| range).collect()
    }

    /// All code blocks: language, and where the content is.
    fn code_blocks(&self) -> Vec<(String, Range<usize>)> {
        let mut blocks = Vec::new();
        let mut open: Option<(String, Option<Range<usize>>)> = None;
        for (event, range) in Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
        {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    open = Some((language, None));
                }
                Event::Text(_) => {
                    if let Some((_, content)) = &mut open {
                        let start = content.as_ref().map_or(range.start, |content| content.start);
                        *content = Some(start..range.end);
                    }
                }
                Event::End(TagEnd::CodeBlock) => {
                    let (language, content) = open.take().unwrap();
                    blocks.extend(content.map(|content| (language, content)));
                }
                _ => {}
            }
        }
        blocks
    }

    fn steps_of(&self, block: Range<usize>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut at = block.start;
        for line in self.text[block].split_inclusive('\n') {
            let end = at + line.len();
            let text = line.trim_end_matches('\n');
            let continued = steps.last_mut().filter(|step| step.command.ends_with('\\'));
            if let Some(command) = text.strip_prefix("$ ") {
                steps.push(Step {
                    line: self.text[..at].lines().count() + 1,
                    command: command.to_owned(),
                    output: Vec::new(),
                    output_range: end..end,
                });
            } else if let Some(step) = continued {
                step.command.push('\n');
                step.command.push_str(text);
                step.output_range = end..end;
            } else {
                let step = steps.last_mut();
                let step = step
                    .unwrap_or_else(|| panic!("{}: output without a command: {text}", self.name));
                step.output.push(text.to_owned());
                step.output_range.end = end;
            }
            at = end;
        }
        steps
    }
}
