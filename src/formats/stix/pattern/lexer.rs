//! The words of a pattern.

use std::fmt;

/// One word of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A bracket that opens.
    Open(char),
    /// A bracket that closes.
    Close(char),
    Comma,
    Operator(&'static str),
    /// A string, a number, a time or a boolean, without quotes and escapes.
    Literal(String),
    /// A keyword, or the name of an object or property.
    Word(&'a str),
    Colon,
    Dot,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Open(bracket) | Token::Close(bracket) => write!(f, "{bracket}"),
            Token::Comma => f.write_str(","),
            Token::Colon => f.write_str(":"),
            Token::Dot => f.write_str("."),
            Token::Operator(operator) => f.write_str(operator),
            Token::Literal(text) => {
                write!(f, "{}", text.chars().take(40).collect::<String>().escape_debug())
            }
            Token::Word(word) => write!(f, "{}", word.chars().take(40).collect::<String>()),
        }
    }
}

/// Operators, the longest first.
const OPERATORS: [(&str, &str); 8] = [
    ("!=", "!="),
    ("<>", "!="),
    ("==", "="),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
];

/// Reads words one after the other, with one of them read ahead.
pub struct Lexer<'a> {
    rest: &'a str,
    next: Option<Token<'a>>,
}

impl<'a> Lexer<'a> {
    /// Begins with the first word.
    pub fn of(pattern: &'a str) -> Result<Self, String> {
        let mut lexer = Self { rest: pattern, next: None };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The next word. `None` at the end.
    pub fn peek(&self) -> Option<&Token<'a>> {
        self.next.as_ref()
    }

    /// Takes the next word if it is this one.
    pub fn take(&mut self, token: &Token<'_>) -> bool {
        self.next.as_ref() == Some(token) && self.advance().is_ok()
    }

    /// Takes the next word if it is this keyword.
    pub fn take_word(&mut self, word: &str) -> bool {
        let is_next =
            matches!(self.next, Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        is_next && self.advance().is_ok()
    }

    /// Takes this word, or fails.
    pub fn expect(&mut self, token: &Token<'_>) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(&token.to_string())) }
    }

    /// Takes this keyword, or fails.
    pub fn expect_word(&mut self, word: &str) -> Result<(), String> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    /// Takes a comparison operator.
    pub fn operator(&mut self) -> Result<&'static str, String> {
        match self.next {
            Some(Token::Operator(operator)) => {
                self.advance()?;
                Ok(operator)
            }
            _ => Err(self.unexpected("an operator")),
        }
    }

    /// Takes a constant.
    pub fn literal(&mut self) -> Result<String, String> {
        match self.next.take() {
            Some(Token::Literal(text)) => {
                self.advance()?;
                Ok(text)
            }
            Some(Token::Word(word))
                if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') =>
            {
                let mut number = word.to_owned();
                self.advance()?;
                if self.take(&Token::Dot)
                    && let Some(Token::Word(fraction)) = self.next.take()
                {
                    number = format!("{number}.{fraction}");
                    self.advance()?;
                }
                Ok(number)
            }
            // `t'…'`, `h'…'` and `b'…'`.
            Some(Token::Word("t" | "h" | "b")) => {
                self.advance()?;
                self.literal_text()
            }
            Some(Token::Word(word)) if matches!(word, "true" | "false") => {
                self.advance()?;
                Ok(word.to_owned())
            }
            other => {
                self.next = other;
                Err(self.unexpected("a constant"))
            }
        }
    }

    fn literal_text(&mut self) -> Result<String, String> {
        match self.next.take() {
            Some(Token::Literal(text)) => {
                self.advance()?;
                Ok(text)
            }
            other => {
                self.next = other;
                Err(self.unexpected("a constant"))
            }
        }
    }

    /// Takes a path: the object and its property, without indexes of lists and quotes.
    pub fn path(&mut self) -> Result<(String, String), String> {
        let object = self.name()?;
        self.expect(&Token::Colon)?;
        let mut property = self.name()?;
        loop {
            if self.take(&Token::Open('[')) {
                let is_any = self.take(&Token::Operator("*"));
                if !is_any {
                    self.name()?;
                }
                self.expect(&Token::Close(']'))?;
            } else if self.take(&Token::Dot) {
                property.push('.');
                property.push_str(&self.name()?);
            } else {
                return Ok((object.to_ascii_lowercase(), property));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let name = match self.next.take() {
            Some(Token::Word(word)) => word.to_owned(),
            Some(Token::Literal(text)) => text,
            other => {
                self.next = other;
                return Err(self.unexpected("a property"));
            }
        };
        self.advance()?;
        Ok(name)
    }

    fn unexpected(&self, expected: &str) -> String {
        match &self.next {
            Some(token) => format!("has `{token}` where {expected} should be"),
            None => format!("ends where {expected} should be"),
        }
    }

    fn advance(&mut self) -> Result<(), String> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else {
            self.next = None;
            return Ok(());
        };
        let single = match first {
            '[' | '(' => Some(Token::Open(first)),
            ']' | ')' => Some(Token::Close(first)),
            ',' => Some(Token::Comma),
            ':' => Some(Token::Colon),
            '.' => Some(Token::Dot),
            '*' => Some(Token::Operator("*")),
            _ => None,
        };
        if let Some(token) = single {
            self.rest = &self.rest[1..];
            self.next = Some(token);
            return Ok(());
        }
        if let Some((sign, operator)) =
            OPERATORS.iter().find(|(sign, _)| self.rest.starts_with(sign))
        {
            self.rest = &self.rest[sign.len()..];
            self.next = Some(Token::Operator(operator));
            return Ok(());
        }
        if matches!(first, '\'' | '"') {
            return self.advance_string(first);
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+');
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(format!("has the character {first:?}"));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.next = Some(Token::Word(word));
        Ok(())
    }

    fn advance_string(&mut self, quote: char) -> Result<(), String> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.rest = &self.rest[at + 2..];
                self.next = Some(Token::Literal(text));
                return Ok(());
            }
            let escaped =
                if character == '\\' { characters.next().map(|(_, next)| next) } else { None };
            text.push(escaped.unwrap_or(character));
        }
        Err("has a string without an end".into())
    }
}
