//! JSON values as rows: an object is a row whose keys are the header, or a container of others.

pub mod keys;

use std::rc::Rc;

use csv::StringRecord;
use serde_json::{Map, Value};

use self::keys::{
    are_values, is_about_others, is_about_report, is_feed_event, is_metadata, is_unmistakable,
    lists_values, names_values,
};
use super::columns::{Columns, ValueColumn};
use super::details::{self, words};
use super::involvement::involvement_of;
use super::kinds::{DeclaredType, declared};
use super::record::raw_text;
use super::{Assumed, Class, Details, Output, Record, SkipReason, headerless, table};
use crate::domain::{Invalid, Kind};

/// Rows whose keys are looked at for those that are not read.
const ROWS_FOR_UNREAD_KEYS: usize = 1_000;

/// Shapes of objects whose columns are remembered. The objects of a document have a few.
const MAX_SHAPES: usize = 16;

/// Reads JSON values, and numbers the rows.
pub struct JsonRows<'a, 'out> {
    /// The row of the last element.
    row: usize,
    assumed: &'a Assumed,
    out: &'a mut Output<'out>,
    /// What the objects around the one that is read say of its values.
    inherited: Details,
    /// The key above the one that is read, if it names values: `domains`, `iocs`.
    above: Option<ValueKey>,
    /// Whether the object that is read is about a report, so that its web address is none of the values.
    is_report: bool,
    shapes: Vec<Rc<Shape>>,
}

/// A key that names values.
#[derive(Clone)]
struct ValueKey {
    /// The key, if it also names their kind.
    kind: Option<Rc<str>>,
}

/// The columns of objects that have the same keys.
struct Shape {
    header: StringRecord,
    /// The columns of a row, if the keys name values.
    of_row: Option<Columns>,
    /// Those of a row about a report.
    of_report: Option<Columns>,
    /// The columns of an object around rows.
    of_parent: Columns,
}

impl<'a, 'out> JsonRows<'a, 'out> {
    /// Numbers rows from 1.
    pub fn of(assumed: &'a Assumed, out: &'a mut Output<'out>) -> Self {
        let (inherited, shapes) = (Details::default(), Vec::new());
        Self { row: 0, assumed, out, inherited, above: None, is_report: false, shapes }
    }
}

impl JsonRows<'_, '_> {
    /// Whether the consumer has stopped: return soon.
    pub const fn is_stopped(&self) -> bool {
        self.out.is_stopped()
    }

    /// Numbers the next row.
    pub const fn start_at(&mut self, row: usize) {
        self.row = row - 1;
    }

    /// Passes a record on.
    pub fn record(&mut self, record: Record) {
        self.out.record(record);
    }

    /// Reads an element of a document. One that holds no value is unreadable.
    pub fn read(&mut self, element: &Value) {
        // Names of fields such as `user.name` look like hosts. Below those are texts.
        if let Value::Object(fields) = element
            && fields.values().all(Value::is_object)
            && are_values(fields)
        {
            return self.read_keys(fields);
        }
        if !self.read_nested(element) {
            self.row += 1;
            if is_metadata(element) {
                return self.out.skipped("metadata");
            }
            let invalid = match element {
                Value::Object(_) => Invalid::new("value", "is missing"),
                _ => Invalid::new("line", "is neither an object nor a string"),
            };
            self.class(raw_text(&element.to_string()), Class::Unreadable(invalid));
        }
    }

    /// Reads an element, and returns whether it holds anything.
    fn read_nested(&mut self, element: &Value) -> bool {
        match element {
            Value::String(value) => {
                self.row += 1;
                self.read_text(value);
                true
            }
            Value::Object(fields) => self.read_object(fields),
            Value::Array(cells) => self.read_cells(cells),
            _ => false,
        }
    }

    /// Reads one text: a value, or several.
    fn read_text(&mut self, text: &str) {
        let kind = self.kind_above();
        for class in self.assumed.classes(kind.as_deref(), None, text) {
            self.class(raw_text(text), class);
        }
    }

    /// The kind that the key above names.
    fn kind_above(&self) -> Option<Rc<str>> {
        self.above.as_ref().and_then(|key| key.kind.clone())
    }

    /// Reads an array inside of an array: the cells of a row without a header, or values.
    fn read_cells(&mut self, cells: &[Value]) -> bool {
        let texts: Option<Vec<String>> = cells.iter().map(plain).collect();
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else { return false };
        let row = StringRecord::from(texts.as_slice());
        if let Some(columns) = headerless::columns(std::slice::from_ref(&row)) {
            self.row += 1;
            let (number, out, inherited) = (self.row, &mut *self.out, &self.inherited);
            table::columns_row(number, &row, &columns, self.assumed, &mut |mut record: Record| {
                details::inherit(&mut record.details, inherited);
                out.record(Record::with(record.row, record.raw, record.class, Ok(record.details)));
            });
            return true;
        }
        self.row += 1;
        for text in &texts {
            self.read_text(text);
        }
        true
    }

    fn read_object(&mut self, fields: &Map<String, Value>) -> bool {
        if is_feed_event(fields) {
            self.row += 1;
            self.class(String::new(), Class::Neither(SkipReason::FeedEvent));
            return true;
        }
        if self.above.is_some() && are_values(fields) {
            self.read_keys(fields);
            return true;
        }
        let shape = self.shape(fields);
        let by_id = shape.of_row.is_none().then(|| self.columns_by_id(fields, &shape)).flatten();
        let own = if self.is_report { &shape.of_report } else { &shape.of_row };
        let of_row = own.as_ref().or(by_id.as_ref());
        let is_row = of_row.is_some_and(|columns| self.read_row(fields, columns));
        let has_children = self.is_below_accounts()
            || fields.values().any(|value| value.is_array() || value.is_object());
        let columns = of_row.filter(|_| is_row).unwrap_or(&shape.of_parent);
        if !has_children {
            if is_row && self.row <= ROWS_FOR_UNREAD_KEYS {
                self.out.unread_columns(columns.unread(&shape.header).map(str::to_owned));
            }
            return is_row;
        }
        let values: Vec<&Value> = fields.values().collect();
        let mut own = columns.details_of(|at| texts(values.get(at).copied())).unwrap_or_default();
        details::inherit(&mut own, &self.inherited);
        let outer = std::mem::replace(&mut self.inherited, own);
        let excluded = |at: usize| of_row.is_some_and(|columns| columns.is_excluded(at));
        let children = self.read_children(fields, columns, excluded, is_row);
        self.inherited = outer;
        let holds_any = is_row || children.holds_any;
        if holds_any && self.row <= ROWS_FOR_UNREAD_KEYS {
            self.out.unread_columns(children.unread_keys);
        }
        holds_any
    }

    /// Reads an object whose keys are the values. An object below one is what is said of it.
    fn read_keys(&mut self, fields: &Map<String, Value>) {
        for (value, nested) in fields {
            self.row += 1;
            let details = nested.as_object().map_or_else(
                || Ok(Details::default()),
                |fields| {
                    let values: Vec<&Value> = fields.values().collect();
                    let columns = &self.shape(fields).of_parent;
                    columns.details_of(|at| texts(values.get(at).copied()))
                },
            );
            let details = details.map(|mut details| {
                details::inherit(&mut details, &self.inherited);
                details
            });
            for class in self.assumed.classes(None, None, value) {
                let record = Record::with(self.row, raw_text(value), class, details.clone());
                self.out.record(record);
            }
        }
    }

    /// The columns of objects with these keys, found out once.
    fn shape(&mut self, fields: &Map<String, Value>) -> Rc<Shape> {
        let keys = || fields.keys().map(String::as_str);
        if let Some(known) = self.shapes.iter().find(|shape| shape.header.iter().eq(keys())) {
            return Rc::clone(known);
        }
        let header: StringRecord = keys().collect();
        let of_row = Columns::of_keys(&header, self.assumed.column.as_deref());
        let of_report = of_row.clone().map(Columns::without_report_addresses);
        let of_parent = Columns::of_parent(&header);
        let shape = Rc::new(Shape { header, of_row, of_report, of_parent });
        if self.shapes.len() == MAX_SHAPES {
            self.shapes.remove(0);
        }
        self.shapes.push(Rc::clone(&shape));
        shape
    }

    /// The columns of an object whose value is its `id`: `{"type": "domain", "id": "pier.example"}`, or the stable id of an
    /// account.
    fn columns_by_id(&self, fields: &Map<String, Value>, shape: &Shape) -> Option<Columns> {
        /// Digits from which on a number is that of an account, and not that of the record.
        const MIN_ID_DIGITS: usize = 8;
        let at = shape.header.iter().position(|key| key == "id")?;
        let id = plain(fields.get("id")?)?;
        let is_number = id.len() >= MIN_ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
        let text = |at: usize| fields.values().nth(at).and_then(Value::as_str);
        let column = match (shape.of_parent.kind.and_then(text), shape.of_parent.platform) {
            (Some(kind), _) if is_id_of_kind(kind, &id) => ValueColumn::of_any_kind(at),
            (None, Some(_)) if is_number && self.is_below_accounts() => {
                ValueColumn::of_kind(at, Kind::AccountId.as_str())
            }
            _ => return None,
        };
        Some(shape.of_parent.clone().with_value(column))
    }

    /// Whether the key above says that the objects below it are accounts.
    fn is_below_accounts(&self) -> bool {
        let kind = self.kind_above();
        let of = kind.as_deref().and_then(DeclaredType::of);
        matches!(of, Some(DeclaredType::Kind(Kind::Account, _)))
    }

    /// Reads what is in the arrays and objects of an object. Those of a row are read only below keys that name values:
    /// what belongs to a value is seldom an indicator itself.
    fn read_children(
        &mut self,
        fields: &Map<String, Value>,
        columns: &Columns,
        is_excluded: impl Fn(usize) -> bool,
        is_row: bool,
    ) -> Children {
        let mut children = Children::default();
        // The id of a file is one of its digests. The others are in its attributes.
        let is_below_accounts = !is_row && self.is_below_accounts();
        let is_of_file = is_row && fields.get("type").is_some_and(|kind| kind == "file");
        for (at, (key, nested)) in fields.iter().enumerate() {
            let (is_read, is_excluded) = (columns.is_read(at), is_excluded(at));
            let is_container = nested.is_array() || nested.is_object();
            let lists_values = (is_container || is_below_accounts) && lists_values(key, nested);
            let names_values = lists_values || names_values(key);
            let is_entered = (is_container || lists_values)
                && !is_excluded
                && !is_about_others(key)
                && (!is_row || names_values || is_of_file && key == "attributes");
            let holds_any = is_entered && self.read_below(key, nested, names_values, is_read);
            children.holds_any |= holds_any;
            let is_listed = is_row || is_container || is_excluded || is_below_accounts;
            if !is_read && !holds_any && is_listed {
                children.unread_keys.push(key.clone());
            }
        }
        children
    }

    /// Reads an array or an object below a key, which may name the kind, the involvement or the verdict of what is in
    /// it. `is_read` is set if the texts of the array are read already.
    fn read_below(&mut self, key: &str, nested: &Value, names_values: bool, is_read: bool) -> bool {
        let of = DeclaredType::of(key);
        let names_kind = matches!(of, Some(DeclaredType::OnPlatform(_)))
            || DeclaredType::names_column(key).is_some();
        let above = match of {
            _ if names_values => Some(ValueKey { kind: names_kind.then(|| key.into()) }),
            // File names, reports and the like.
            Some(_) => None,
            None => self.above.clone(),
        };
        let outer_above = std::mem::replace(&mut self.above, above);
        let outer_is_report = std::mem::replace(&mut self.is_report, is_about_report(key));
        let (outer_involvement, outer_verdict) =
            (self.inherited.involvement, self.inherited.verdict);
        self.inherited.involvement = outer_involvement.or_else(|| involvement_of(key));
        self.inherited.verdict = outer_verdict.or_else(|| words::verdict_of_heading(key));
        let mut holds_any = false;
        for element in nested.as_array().map_or(std::slice::from_ref(nested), Vec::as_slice) {
            let is_value = match element {
                Value::Object(_) => true,
                Value::Array(_) => self.above.is_some(),
                _ => self.above.is_some() && !is_read,
            };
            holds_any |= is_value && self.read_nested(element);
        }
        (self.above, self.is_report) = (outer_above, outer_is_report);
        (self.inherited.involvement, self.inherited.verdict) = (outer_involvement, outer_verdict);
        holds_any
    }

    fn read_row(&mut self, fields: &Map<String, Value>, columns: &Columns) -> bool {
        let values: Vec<&Value> = fields.values().collect();
        let text = |column: usize| match values.get(column) {
            Some(Value::String(text)) => Some(text.trim()).filter(|text| !words::is_blank(text)),
            _ => None,
        };
        let own = columns.details_of(|column| texts(values.get(column).copied()));
        let (kind, platform) = (columns.kind.and_then(text), columns.platform.and_then(text));
        let above = self.kind_above();
        let kind = kind.or(above.as_deref());
        let mut holds_any = false;
        for column in &columns.values {
            let mut details = own.clone();
            if let Ok(details) = &mut details {
                columns.complete(details, column, kind, self.assumed);
                details::inherit(details, &self.inherited);
            }
            let kind = column.kind_in_row(kind, platform);
            let raws = texts(values.get(column.at).copied()).into_iter();
            for raw in raws.filter(|raw| !words::is_absent(raw)) {
                self.row += usize::from(!holds_any);
                holds_any = true;
                for class in self.assumed.classes(kind, platform, &raw) {
                    let record = Record::with(self.row, raw_text(&raw), class, details.clone());
                    self.out.record(record);
                }
            }
        }
        holds_any
    }

    fn class(&mut self, raw: String, class: Class) {
        let details = match class {
            Class::Indicator(_) => self.inherited.clone(),
            _ => Details::default(),
        };
        self.out.record(Record::with(self.row, raw, class, Ok(details)));
    }
}

/// What was found below the keys of an object.
#[derive(Default)]
struct Children {
    holds_any: bool,
    unread_keys: Vec<String>,
}

/// The texts under a key: one, or each of an array.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(plain).collect(),
        Some(one) => plain(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Whether an id is a value of the kind that its object names, in a form that no other id has.
fn is_id_of_kind(kind: &str, id: &str) -> bool {
    matches!(declared(kind, None, id), Class::Indicator(read) if is_unmistakable(&read))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !words::is_blank(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
