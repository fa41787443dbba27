//! STIX 2.1 bundles, and STIX 2.0 where it only differs in shape.
//!
//! A bundle is read three times, in constant memory but for a few words about each object: first what others say of
//! indicators and observables (markings, campaigns, relationships, sightings, opinions), then the indicators, then
//! the observables. An observable alone is an observation, which accuses nobody.

mod context;
pub mod indicator;
pub mod marking;
mod object;
pub mod observable;
mod pattern;

use foldhash::HashSet;

use self::context::Context;
use self::object::Object;
use super::json_elements::{JsonElements, Place};
use super::record::raw_text;
use super::{Assumed, Class, Details, Error, Input, Output, Record, SkipReason};
use crate::domain::Invalid;

/// Reads a bundle, an envelope of TAXII, or objects in an array or in lines. The row is the number of the object.
pub fn read(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let place = Place::detect(input, "objects", |_| true)?;
    let mut context = Context::default();
    for_each(input, place, |_, object| {
        if let Ok(object) = object {
            context.index(&object);
        }
        true
    })?;
    let mut reader = BundleReader { context, assumed, out, values: HashSet::default() };
    for_each(input, place, |row, object| {
        match object {
            Ok(object) => reader.read_object(row, &object),
            Err(unreadable) => reader.out.record(unreadable),
        }
        !reader.out.is_stopped()
    })?;
    if reader.context.has_observables && !reader.out.is_stopped() {
        for_each(input, place, |row, object| {
            if let Ok(object) = object {
                reader.read_observables(row, &object);
            }
            !reader.out.is_stopped()
        })?;
    }
    if reader.out.is_empty() {
        return Err(Error::NoValues("objects of STIX, and no indicator or observable among them"));
    }
    Ok(())
}

/// Gives each object, or the record about one that is not an object of STIX, until `handle` returns false.
fn for_each(
    input: &Input,
    place: Place,
    mut handle: impl FnMut(usize, Result<Object<'_>, Record>) -> bool,
) -> Result<(), Error> {
    let mut elements = JsonElements::of(input.reader(), place);
    while let Some((row, bytes)) = elements.next()? {
        let object = serde_json::from_slice(bytes).map_err(|error| {
            let raw = raw_text(&String::from_utf8_lossy(bytes));
            let invalid = Invalid::new("object", format!("is not a STIX object: {error}"));
            Record { row, raw, class: Class::Unreadable(invalid), details: Details::default() }
        });
        if !handle(row, object) {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a bundle the second and third time.
struct BundleReader<'a, 'out> {
    context: Context,
    assumed: &'a Assumed,
    out: &'a mut Output<'out>,
    /// Hashes of the values of indicators. An observable with the same value is not a second assessment of it.
    values: HashSet<u64>,
}

impl BundleReader<'_, '_> {
    fn read_object(&mut self, row: usize, object: &Object<'_>) {
        self.context.index_marking(object);
        match &*object.kind {
            "indicator" => self.read_indicator(row, object),
            kind if Context::is_context_object(object) || observable::is_observable(kind) => {}
            "observed-data" if object.objects.is_some() => {}
            "relationship" => {
                let kind = object.relationship_type.as_deref().unwrap_or_default();
                self.out.skipped(format!("relationship {kind}"));
            }
            kind => self.out.skipped(kind),
        }
    }

    fn read_indicator(&mut self, row: usize, object: &Object<'_>) {
        if object.is_revoked() {
            return self.out.skipped("revoked indicator");
        }
        if self.context.is_outdated(object) {
            return self.out.skipped("older version of an indicator");
        }
        let pattern = object.pattern.as_deref().unwrap_or_default();
        let language = object.pattern_type.as_deref().unwrap_or("stix");
        if language != "stix" {
            return self.out.skipped(format!("indicator with a pattern of {language}"));
        }
        let matched = match pattern::read(pattern) {
            Ok(matched) => matched,
            Err(reason) => {
                let invalid = Invalid::new("pattern", reason);
                return self.record(row, pattern, Class::Unreadable(invalid), Details::default());
            }
        };
        for skipped in &matched.skipped {
            self.out.skipped(format!("pattern with {skipped}"));
        }
        let details = indicator::details(object, &self.context);
        let stated = indicator::stated_kind(object);
        let mut classes: Vec<Class> = Vec::new();
        for observable in &matched.observables {
            classes.extend(observable::classes(observable, stated, self.assumed));
        }
        if classes.is_empty() && matched.skipped.is_empty() {
            classes.push(Class::Neither(SkipReason::OtherKind));
        }
        for class in classes {
            if let Class::Indicator(read) = &class {
                self.values.insert(self.context.hash(read.id().as_bytes()));
            }
            self.record(row, pattern, class, details.clone());
        }
    }

    fn read_observables(&mut self, row: usize, object: &Object<'_>) {
        if object.kind == "observed-data" {
            let details = indicator::observation(object, &self.context);
            if indicator::is_reference(object) {
                let reference = Class::Neither(SkipReason::Reference);
                return self.record(
                    row,
                    object.id.as_deref().unwrap_or_default(),
                    reference,
                    details,
                );
            }
            for nested in object.objects.iter().flat_map(|objects| objects.values()) {
                self.read_observable(row, nested, &details);
            }
        } else if observable::is_observable(&object.kind) {
            let details = indicator::observation(object, &self.context);
            let observable = observable::Observable::of_object(object);
            self.read_fields(row, &observable, &details);
        }
    }

    fn read_observable(&mut self, row: usize, nested: &serde_json::Value, details: &Details) {
        if let Some(observable) = observable::Observable::of_value(nested) {
            self.read_fields(row, &observable, details);
        }
    }

    fn read_fields(&mut self, row: usize, observable: &observable::Observable, details: &Details) {
        let classes = observable::classes(observable, None, self.assumed);
        if classes.is_empty() {
            return self.out.skipped(observable.kind.as_str());
        }
        for class in classes {
            if let Class::Indicator(read) = &class
                && self.values.contains(&self.context.hash(read.id().as_bytes()))
            {
                continue;
            }
            self.record(row, &observable.text(), class, details.clone());
        }
    }

    fn record(&mut self, row: usize, raw: &str, class: Class, details: Details) {
        self.out.record(Record { row, raw: raw_text(raw), class, details });
    }
}

/// Reads a cell or text of another format that is a pattern: `[domain-name:value = 'pier.example']`. `None` if it is none.
pub fn classes_of_pattern(text: &str, assumed: &Assumed) -> Option<Vec<Class>> {
    let text = text.trim();
    let may_be_pattern = text.starts_with('[') && text.ends_with(']') && text.contains("= '");
    let matched = may_be_pattern.then(|| pattern::read(text).ok()).flatten()?;
    let observables = matched.observables.iter();
    let mut classes: Vec<Class> =
        observables.flat_map(|one| observable::classes(one, None, assumed)).collect();
    if !matched.skipped.is_empty() {
        classes.push(Class::Neither(SkipReason::TextWithValue));
    } else if classes.is_empty() {
        classes.push(Class::Neither(SkipReason::OtherKind));
    }
    Some(classes)
}

#[cfg(test)]
mod tests;
