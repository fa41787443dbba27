//! The encoding of what partners submit and withdraw.

use super::codec::record;
use crate::domain::activity::{Activity, HourlyActivity};

record!(Activity, "the activity of a partner");
record!(HourlyActivity, "the activity of an hour");
