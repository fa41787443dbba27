//! Patterns: which values they match (STIX 2.1, part 9). Values are taken from single comparisons, OR and IN, and AND
//! over the properties of one object; `[a AND b]` of two objects accuses neither of them.

mod lexer;

use self::lexer::{Lexer, Token};
use super::observable::Observable;

/// Parentheses in one another.
const MAX_DEPTH: usize = 64;

/// What a pattern matches.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Objects, each with the properties that it has if it matches.
    pub observables: Vec<Observable>,
    /// Operators whose operands are not taken.
    pub skipped: Vec<&'static str>,
}

/// Reads a pattern. The error is the reason why it is none.
pub fn read(pattern: &str) -> Result<Matched, String> {
    let mut parser = Parser { lexer: Lexer::of(pattern)?, depth: 0 };
    let observations = parser.observations()?;
    if let Some(token) = parser.lexer.peek() {
        return Err(format!("has `{token}` after its end"));
    }
    let mut matched = Matched::default();
    observations.collect(&mut matched);
    Ok(matched)
}

/// What is between brackets, and how it is joined.
enum Observations {
    One(Expression),
    Or(Vec<Observations>),
    /// Joined by an operator that accuses none of them.
    Joined(&'static str),
}

impl Observations {
    fn collect(self, matched: &mut Matched) {
        match self {
            Observations::One(expression) => expression.collect(matched),
            Observations::Or(all) => {
                for one in all {
                    one.collect(matched);
                }
            }
            Observations::Joined(operator) => matched.skipped.push(operator),
        }
    }
}

/// Comparisons of one observation.
enum Expression {
    Comparison(Comparison),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Skipped(&'static str),
}

struct Comparison {
    object: String,
    property: String,
    /// One value, or several of IN.
    values: Vec<String>,
}

impl Comparison {
    /// One object for each value.
    fn observables(self) -> impl Iterator<Item = Observable> {
        let Self { object, property, values } = self;
        values.into_iter().map(move |value| Observable {
            kind: object.clone(),
            fields: vec![(property.clone(), value)],
        })
    }
}

impl Expression {
    fn collect(self, matched: &mut Matched) {
        match self {
            Expression::Comparison(comparison) => {
                matched.observables.extend(comparison.observables());
            }
            Expression::Or(all) => all.into_iter().for_each(|one| one.collect(matched)),
            Expression::Skipped(operator) => matched.skipped.push(operator),
            Expression::And(all) => collect_and(all, matched),
        }
    }
}

/// Takes the properties that comparisons joined by AND have in common, if all of them are about one object.
fn collect_and(all: Vec<Expression>, matched: &mut Matched) {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut alternatives = Matched::default();
    let mut object: Option<String> = None;
    let mut rest = all;
    while let Some(one) = rest.pop() {
        match one {
            Expression::And(inner) => rest.extend(inner),
            Expression::Comparison(mut comparison) if comparison.values.len() == 1 => {
                let of = object.get_or_insert_with(|| comparison.object.clone());
                if *of != comparison.object {
                    return matched.skipped.push("AND over several objects");
                }
                fields.extend(comparison.values.pop().map(|value| (comparison.property, value)));
            }
            other => other.collect(&mut alternatives),
        }
    }
    fields.sort();
    fields.dedup();
    matched.skipped.append(&mut alternatives.skipped);
    let object = object.or_else(|| alternatives.observables.first().map(|one| one.kind.clone()));
    let Some(kind) = object else { return };
    let is_other = |one: &Observable| one.kind != kind;
    let is_contradiction = fields.windows(2).any(|two| two[0].0 == two[1].0);
    if alternatives.observables.iter().any(is_other) || is_contradiction {
        return matched.skipped.push("AND over several objects");
    }
    let circumstances: Vec<_> =
        fields.iter().filter(|(name, _)| Observable::is_circumstance(name)).cloned().collect();
    let base = Observable { kind, fields };
    matched.observables.push(base);
    for mut alternative in alternatives.observables {
        alternative.fields.extend(circumstances.iter().cloned());
        matched.observables.push(alternative);
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("has more than {MAX_DEPTH} parentheses in one another"));
        }
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// `a FOLLOWEDBY b`, the weakest operator.
    fn observations(&mut self) -> Result<Observations, String> {
        let first = self.observations_or()?;
        let mut is_sequence = false;
        while self.lexer.take_word("FOLLOWEDBY") {
            self.observations_or()?;
            is_sequence = true;
        }
        Ok(if is_sequence { Observations::Joined("FOLLOWEDBY") } else { first })
    }

    fn observations_or(&mut self) -> Result<Observations, String> {
        let mut all = vec![self.observations_and()?];
        while self.lexer.take_word("OR") {
            all.push(self.observations_and()?);
        }
        Ok(Observations::Or(all))
    }

    fn observations_and(&mut self) -> Result<Observations, String> {
        let first = self.observation()?;
        let mut is_joined = false;
        while self.lexer.take_word("AND") {
            self.observation()?;
            is_joined = true;
        }
        Ok(if is_joined { Observations::Joined("AND over several observations") } else { first })
    }

    fn observation(&mut self) -> Result<Observations, String> {
        let inner = if self.lexer.take(&Token::Open('(')) {
            let inner = self.nested(Self::observations)?;
            self.lexer.expect(&Token::Close(')'))?;
            inner
        } else {
            self.lexer.expect(&Token::Open('['))?;
            let expression = self.nested(Self::expression_or)?;
            self.lexer.expect(&Token::Close(']'))?;
            Observations::One(expression)
        };
        self.qualified(inner)
    }

    /// Reads the qualifiers after an observation. One that is only a threat if it repeats accuses nobody.
    fn qualified(&mut self, inner: Observations) -> Result<Observations, String> {
        let mut qualified = inner;
        loop {
            if self.lexer.take_word("WITHIN") {
                self.lexer.literal()?;
                self.lexer.expect_word("SECONDS")?;
            } else if self.lexer.take_word("REPEATS") {
                self.lexer.literal()?;
                self.lexer.expect_word("TIMES")?;
                qualified = Observations::Joined("REPEATS");
            } else if self.lexer.take_word("START") {
                self.lexer.literal()?;
                self.lexer.expect_word("STOP")?;
                self.lexer.literal()?;
            } else {
                return Ok(qualified);
            }
        }
    }

    fn expression_or(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.expression_and()?];
        while self.lexer.take_word("OR") {
            all.push(self.expression_and()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Or(all) })
    }

    fn expression_and(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.comparison()?];
        while self.lexer.take_word("AND") {
            all.push(self.comparison()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let is_negated = self.lexer.take_word("NOT");
        if self.lexer.take(&Token::Open('(')) {
            let inner = self.nested(Self::expression_or)?;
            self.lexer.expect(&Token::Close(')'))?;
            return Ok(if is_negated { Expression::Skipped("NOT") } else { inner });
        }
        if self.lexer.take_word("EXISTS") {
            self.lexer.path()?;
            return Ok(Expression::Skipped("EXISTS"));
        }
        let (object, property) = self.lexer.path()?;
        let is_negated = is_negated | self.lexer.take_word("NOT");
        let (operator, values) = self.operation()?;
        let is_address = matches!(&*object, "ipv4-addr" | "ipv6-addr");
        Ok(match operator {
            _ if is_negated => Expression::Skipped("NOT"),
            "=" | "IN" => Expression::Comparison(Comparison { object, property, values }),
            // A network is one indicator.
            "ISSUBSET" if is_address => {
                Expression::Comparison(Comparison { object, property, values })
            }
            operator => Expression::Skipped(operator),
        })
    }

    fn operation(&mut self) -> Result<(&'static str, Vec<String>), String> {
        const WORDS: [&str; 4] = ["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"];
        if self.lexer.take_word("IN") {
            self.lexer.expect(&Token::Open('('))?;
            let mut values = vec![self.lexer.literal()?];
            while self.lexer.take(&Token::Comma) {
                values.push(self.lexer.literal()?);
            }
            self.lexer.expect(&Token::Close(')'))?;
            return Ok(("IN", values));
        }
        for word in WORDS {
            if self.lexer.take_word(word) {
                return Ok((word, vec![self.lexer.literal()?]));
            }
        }
        let operator = self.lexer.operator()?;
        Ok((operator, vec![self.lexer.literal()?]))
    }
}

#[cfg(test)]
mod tests;
