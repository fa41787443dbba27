#!/usr/bin/env python3
"""Breaks one guarantee after the other on purpose, and checks that a test fails.

Each mutant is a file, a text in it, the replacement of the text, and the tests of which one has to
fail. It changes a copy of the tree; `make mutants` runs it. With names as arguments it runs only
those mutants. With `--check` it runs none and checks that each text occurs once, as `make lint` does.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "mutants" / "tree"
# A separate folder, because cargo would mix up two trees of the same package in one.
BUILD = ROOT / "target" / "mutants" / "build"
SIMULATION = ["--test", "simulation"]
LANE = ["--test", "simulation", "liaison"]
DAMAGE = ["--test", "damage"]

# name: (file, text, replacement, tests)
MUTANTS = {
    # What an operator sees.
    "a-node-with-a-full-disk-is-ready": (
        "src/server/node.rs",
        "writable.check_writable().map_err(",
        "Ok::<(), String>(()).map_err(",
        ["--test", "monitoring", "full_disk"],
    ),
    "a-full-disk-is-logged-for-each-append": (
        "src/journal/space.rs",
        "if !self.0.swap(true, Ordering::Relaxed) {",
        "self.0.store(true, Ordering::Relaxed);\n        {",
        ["--test", "monitoring", "full_disk"],
    ),
    "a-removed-list-keeps-its-series": (
        "src/metrics/series.rs",
        "for labels in dropped {",
        "for labels in dropped.into_iter().take(0) {",
        ["--test", "monitoring", "lists"],
    ),
    "streams-count-as-latency": (
        "src/metrics/calls.rs",
        "if is_stream { &self.stream_seconds }",
        "if false { &self.stream_seconds }",
        ["--test", "monitoring", "calls"],
    ),
    "every-trace-is-an-error": (
        "src/rpc/observe.rs",
        "span.end(name(self.code), is_fault(self.code));",
        "span.end(name(self.code), true);",
        ["--test", "monitoring", "traces"],
    ),
    # What an export may contain.
    "an-export-lets-red-leave": (
        "src/formats/export.rs",
        "Tlp::Red => Some(LeftOut::Red),",
        "Tlp::Red => None,",
        ["--test", "export"],
    ),
    "a-list-names-victims": (
        "src/formats/export.rs",
        "Involvement::Victim => Some(LeftOut::Victim),",
        "Involvement::Victim => None,",
        ["--test", "export"],
    ),
    "a-list-ignores-what-may-not-be-exported": (
        "src/cli/export.rs",
        "writer.withhold(received, tally).map_err(&failure)?;",
        "",
        ["--test", "export"],
    ),
    # `may_see` removed from one read after the other.
    "linked-accounts-without-may-see": (
        "src/exchange/queries/account.rs",
        "if !self.reader_view.may_see(&current.sharing, &author, current.version) {",
        "if false && !self.reader_view.may_see(&current.sharing, &author, current.version) {",
        ["--test", "accounts"],
    ),
    "links-are-followed-from-handles": (
        "src/exchange/queries/account.rs",
        "let is_stable_id = |name: &&Indicator| name.kind() == Kind::AccountId;",
        "let is_stable_id = |_: &&Indicator| true;",
        ["--test", "accounts"],
    ),
    "replaced-names-still-find-the-account": (
        "src/index/apply/lookups.rs",
        "for name in &removed.other_names {",
        "for name in removed.other_names.iter().filter(|_| false) {",
        ["--test", "accounts"],
    ),
    "feed-batch-without-may-see": (
        "src/exchange/feeds/changes/batch.rs",
        "let may_have_items = visibility.is_liaison() || sees(visibility.reader());",
        "let may_have_items = sees(visibility.reader()) || true;",
        SIMULATION,
    ),
    "feed-removals-without-may-see": (
        "src/exchange/feeds/changes/removals.rs",
        "if input.visibility.should_deliver(\n            input.view,\n            &reader_before,",
        "if input.visibility.matches_filter(\n            input.view,\n            &reader_before,",
        SIMULATION,
    ),
    "feed-joining-without-may-see": (
        "src/exchange/feeds/expansion.rs",
        "            && self.should_deliver(\n                self.input.visibility.reader(),\n                AsOf::Now(self.input.now),\n                version,\n            )?)\n",
        "            && { let _ = AsOf::Now(self.input.now); true })\n",
        SIMULATION,
    ),
    "feed-sightings-without-may-see": (
        "src/exchange/feeds/changes/reactions.rs",
        "if !may_see(reader, sharing, author, first, NO_RELEASE_EXPIRED)\n        || !labels",
        "if !labels",
        SIMULATION,
    ),
    "feed-feedback-without-may-see": (
        "src/exchange/feeds/changes/reactions.rs",
        "if !is_visible\n            || !input",
        "if (!is_visible && false)\n            || !input",
        SIMULATION,
    ),
    "feed-feedback-on-what-is-hidden": (
        "src/exchange/feeds/changes/reactions.rs",
        "\n            || !sees_assessment(input, feedback, about)?",
        "",
        ["--test", "withdrawal"],
    ),
    "snapshot-without-may-see": (
        "src/exchange/feeds/snapshot.rs",
        "if !self.visibility.may_deliver_content(view, meta, now)? {",
        "if !self.visibility.matches_filter(view, reader, crate::exchange::visibility::AsOf::Now(now), meta)? {",
        SIMULATION,
    ),
    "lookup-and-get-without-may-see": (
        "src/exchange/visibility/indicator.rs",
        "if !self.may_see(&current.sharing, &author, current.version) {",
        "if false {",
        SIMULATION,
    ),
    "sighting-counts-without-may-see": (
        "src/exchange/visibility/reaction.rs",
        "if self.may_see(&record.sharing, &record.author, position) {",
        "if true {",
        SIMULATION,
    ),
    "feedback-read-without-may-see": (
        "src/exchange/queries/reactions.rs",
        "            if is_visible {\n",
        "            if is_visible || true {\n",
        SIMULATION,
    ),
    "sharing-shows-the-other-names": (
        "src/domain/sharing.rs",
        "partners: partners.get(&reader.id).cloned().into_iter().collect(),",
        "partners: partners.clone(),",
        ["--lib", "--test", "sharing"],
    ),
    # A stale version is delivered.
    "stale-version-in-a-batch": (
        "src/exchange/feeds/changes/batch.rs",
        "|| !is_current\n",
        "|| (!is_current && false)\n",
        SIMULATION,
    ),
    "membership-counts-for-ever": (
        "src/domain/partner.rs",
        "m.from <= sequence && m.until.is_none_or(|until| sequence < until)",
        "m.from <= sequence",
        SIMULATION,
    ),
    "rights-are-those-of-the-connection": (
        "src/exchange/visibility.rs",
        "if Arc::ptr_eq(view.registry(), &self.registry) {",
        "if true || Arc::ptr_eq(view.registry(), &self.registry) {",
        ["--test", "membership"],
    ),
    "lookup-judged-by-older-rights": (
        "src/exchange/queries/indicator.rs",
        "let (view, now) = (self.core.index.read()?, self.core.clock.now());\n"
        "        let Some(reader) = view.registry().reader(caller.partner()) else {",
        "let reader = self.core.registry().reader(caller.partner());\n"
        "        std::thread::sleep(std::time::Duration::from_millis(5));\n"
        "        let (view, now) = (self.core.index.read()?, self.core.clock.now());\n"
        "        let Some(reader) = reader else {",
        ["--test", "races"],
    ),
    "snapshot-judged-by-older-rights": (
        "src/exchange/feeds/snapshot.rs",
        "let view = &core.index.read()?;\n        self.visibility = self.visibility.at(view)?;\n        let page",
        "self.visibility = self.visibility.at(&core.index.read()?)?;\n"
        "        std::thread::sleep(std::time::Duration::from_millis(5));\n"
        "        let view = &core.index.read()?;\n        let page",
        ["--test", "races"],
    ),
    # A removal is not sent.
    "no-removal-on-withdrawal-and-expiry": (
        "src/exchange/feeds/changes/removals.rs",
        "(!removals.is_empty()).then_some(FeedEvent::Removals(removals))",
        "{ drop(removals); None }",
        SIMULATION,
    ),
    "no-removal-on-a-withdrawn-enforcement": (
        "src/exchange/feeds/changes/enforcement_withdrawal.rs",
        "if may_see(&reader_before, &ended.sharing, author, version, NO_RELEASE_EXPIRED)",
        "if false",
        ["--test", "enforcement"],
    ),
    "removals-of-enforcements-that-were-hidden": (
        "src/exchange/feeds/changes/enforcement_withdrawal.rs",
        "if may_see(&reader_before, &ended.sharing, author, version, NO_RELEASE_EXPIRED)",
        "if true",
        ["--test", "enforcement"],
    ),
    "no-removal-on-replacement": (
        "src/exchange/feeds/changes/batch.rs",
        "removals.push(BatchRemoval { item_index, position, version: old, reason });",
        "let _ = (position, reason);",
        SIMULATION,
    ),
    "no-removal-for-who-cannot-see-the-new-one": (
        "src/exchange/feeds/changes/batch.rs",
        "if !may_have_items && batch.replaces.is_none() && !reader_before.as_deref().is_some_and(sees) {",
        "if !may_have_items {",
        SIMULATION,
    ),
    "no-removal-on-leaving": (
        "src/exchange/feeds/expansion.rs",
        "    if !removals.is_empty() {\n        return",
        "    if !removals.is_empty() && false {\n        return",
        SIMULATION,
    ),
    "no-removal-of-what-ended-after-leaving": (
        "src/exchange/feeds/expansion.rs",
        "closed.filter(|closed| closed.ended_by.sequence > self.sequence());",
        "closed.filter(|_| false);",
        SIMULATION,
    ),
    "removals-by-the-rights-of-now": (
        "src/exchange/feeds/changes/removals.rs",
        "let Some(reader_before) = input.reader_before() else",
        "let Some(reader_before) = input.visibility.reader_at(u64::MAX) else",
        SIMULATION,
    ),
    "an-item-that-names-nothing-is-enough": (
        "src/exchange/feeds/changes/batch.rs",
        "if is_delivered && replaces.is_none() && old.sequence >= self.visible_from",
        "if is_delivered && replaces.is_none()",
        SIMULATION,
    ),
    # Readers miss or repeat something when they reconnect.
    "joining-shows-nothing": (
        "src/exchange/feeds/expansion.rs",
        "    (!items.is_empty()).then_some(FeedEvent::Items(items))",
        "    { drop(items); None }",
        SIMULATION,
    ),
    "a-cursor-of-a-lost-epoch-is-taken": (
        "src/exchange/feeds/cursor.rs",
        "if cursor.journal.epoch != current.epoch {",
        "if cursor.journal.epoch != current.epoch && cursor.position.after.sequence > checkpoint {",
        ["--test", "simulation", "a_cursor_is_valid"],
    ),
    "an-epoch-begins-after-the-first-entry-of-a-start": (
        "src/exchange/core.rs",
        "        self.ensure_epoch().await?;\n        self.append_in_epoch(append).await\n",
        "        let stamp = self.append_in_epoch(append).await?;\n        self.ensure_epoch().await.map(|()| stamp)\n",
        ["--lib", "an_epoch_goes_before_everything"],
    ),
    "a-cursor-inside-an-expansion-starts-after-it": (
        "src/domain/cursor.rs",
        "Self { last_read: Position::new(sequence, 0), inside: Some(version) }",
        "Self { last_read: Position::new(sequence, u32::MAX), inside: Some(version) }",
        SIMULATION,
    ),
    "snapshot-follows-from-after-the-scan": (
        "src/exchange/feeds/snapshot.rs",
        "        self.next = last.map(NextScan::Assessments).or(next);\n",
        "        self.next = last.map(NextScan::Assessments).or(next);\n        let now = self.core.index.checkpoint();\n        self.cursor.position = FeedPosition::after_entry(now);\n",
        SIMULATION,
    ),
    # Decisions of apply.
    "withdrawal-of-a-submission-takes-what-came-later": (
        "src/index/apply/endings.rs",
        "if version.is_some_and(|version| version != old.version) {",
        "if version.is_none() && false {",
        ["--lib"],
    ),
    "another-audience-stays": (
        "src/index/apply/batch.rs",
        "replaces: batch.replaces.filter(|replaced| *replaced != audience),",
        "replaces: batch.replaces.filter(|_| false),",
        ["--lib"],
    ),
    "a-repeated-batch-is-accepted-again": (
        "src/index/apply.rs",
        "let Some(taken) = self.read(key)? else { return Ok(None) };",
        "let Some(taken) = self.read(key)?.filter(|_| false) else { return Ok(None) };",
        ["--lib"],
    ),
    # Campaigns: who may see them, and what readers get when that changes.
    "items-name-hidden-campaigns": (
        "src/exchange/feeds/changes/batch.rs",
        "campaigns: visibility.visible_campaigns(input.view, input.logged.campaigns(), input.now)?,",
        "campaigns: input.logged.campaigns().iter().copied().collect(),",
        SIMULATION,
    ),
    "a-gained-campaign-delivers-nothing-older": (
        "src/exchange/feeds/expansion/campaigns.rs",
        "if before == after {",
        "if before == after || after {",
        SIMULATION,
    ),
    "a-lost-campaign-removes-nothing": (
        "src/exchange/feeds/expansion.rs",
        "campaigns => expansion.through_campaigns(campaigns, last),",
        "_ => expansion.through_group(group, last),",
        SIMULATION,
    ),
    "anybody-names-any-campaign": (
        "src/exchange/commands/submit.rs",
        "if author_view.sees_campaign(campaign)? {",
        "if author_view.sees_campaign(campaign)? || true {",
        ["--test", "campaigns"],
    ),
    # Tips in their campaigns.
    "a-campaign-shows-every-tip": (
        "src/index/keys/tips.rs",
        "    let mut key = of_campaign(b'p', campaign);\n    text(&mut key, partner.as_str());\n",
        "    let mut key = of_campaign(b'p', campaign);\n    text(&mut key, &partner.as_str()[..0]);\n",
        ["--test", "campaign_tips"],
    ),
    "a-campaign-shows-withdrawn-tips": (
        "src/exchange/queries/campaign/tips.rs",
        "let before = withdrawal.sequence.saturating_sub(1);",
        "let before = u64::MAX;",
        ["--test", "campaign_tips"],
    ),
    "restricted-objects-go-anywhere": (
        "src/exchange/visibility/restricted.rs",
        "let Some(group) = group else { return false };",
        "let Some(group) = group else { return true };\n    if true { return true; }",
        ["--test", "restricted"],
    ),
    "nobody-has-to-confirm-terms": (
        "src/index/registry.rs",
        "known.confirmed.is_none_or(|at| at > sequence)",
        "false",
        ["--test", "restricted"],
    ),
    # The liaison lane.
    "lane-without-the-clock": (
        "src/exchange/visibility.rs",
        "may_see(&self.reader, sharing, author, position, now)\n            && (!self.public_only",
        "may_see(&self.reader, sharing, author, position, { let _ = now; Timestamp::default() })\n            && (!self.public_only",
        LANE,
    ),
    "lane-gives-what-is-not-released": (
        "src/exchange/feeds/changes/releases.rs",
        "is_released && input.visibility.may_deliver(author, sharing, version, input.now)",
        "is_released || input.visibility.is_liaison()",
        LANE,
    ),
    "lane-retraction-sends-no-removal": (
        "src/exchange/feeds/changes/releases.rs",
        "removal.map(Change::Removal)",
        "removal.filter(|_| false).map(Change::Removal)",
        LANE,
    ),
    "lane-replacement-sends-no-removal": (
        "src/exchange/feeds/changes/releases.rs",
        "Ok(replaced.map(|replaced| Removal {\n        position: FeedPosition::after_item(at),",
        "Ok(replaced.filter(|_| false).map(|replaced| Removal {\n        position: FeedPosition::after_item(at),",
        LANE,
    ),
    "lane-snapshot-without-may-see": (
        "src/exchange/feeds/snapshot.rs",
        "self.visibility.may_deliver(&record.author, &record.sharing, record.position, now)\n                && self.visibility.filter()",
        "(now > now || true)\n                && self.visibility.filter()",
        LANE,
    ),
    "lane-unrecorded-enforcements": (
        "src/rpc/feed/message.rs",
        "let objects = outgoing.items + message.campaigns.len() + message.enforcements.len();",
        "let objects = outgoing.items;",
        ["--test", "released_enforcements"],
    ),
    # Tips.
    "tips-show-other-threads": (
        "src/domain/accepted/tip.rs",
        "self.shown || self.recipient.as_ref().is_none_or(|owner| owner == recipient)",
        "self.shown || self.recipient.as_ref().is_none_or(|owner| owner == recipient || true)",
        ["--test", "tips"],
    ),
    "tips-show-what-was-withdrawn": (
        "src/exchange/visibility/tip.rs",
        "(tip.withdrawn || (self.is_liaison()",
        "((tip.withdrawn && false) || (self.is_liaison()",
        ["--test", "tips"],
    ),
    "tips-show-a-liaison-what-is-closed": (
        "src/exchange/visibility/tip.rs",
        "(self.is_liaison() && is_closed())",
        "(self.is_liaison() && is_closed() && false)",
        ["--test", "tips_to_liaisons"],
    ),
    "tips-reopen-by-what-one-side-sees": (
        "src/exchange/sweeps/reopening.rs",
        "if readers.iter().all(sees) {",
        "if readers.iter().any(sees) {",
        ["--test", "tips"],
    ),
    "referral-by-rights-of-before": (
        "src/index/apply/referrals.rs",
        "if referral.visibility_sequence != self.registry.visibility_changed_at(u64::MAX) {",
        "if referral.visibility_sequence > self.registry.visibility_changed_at(u64::MAX) {",
        ["--lib", "tip_tests"],
    ),
    "tips-show-what-is-restricted": (
        "src/exchange/visibility/tip.rs",
        "if may_hold || !indicator.restricted {",
        "if may_hold || !indicator.restricted || true {",
        ["--test", "restricted"],
    ),
    # The keys that are known in memory, and the index on disk.
    "known-forgets-other-values": (
        "src/index/known.rs",
        "if *known == end { end } else { SEVERAL }",
        "end",
        ["--lib", "index::known"],
    ),
    "known-drops-keys-that-are-still-stored": (
        "src/index/store.rs",
        "if snapshot.scan(&prefix).next().is_none() {",
        "if true {",
        ["--lib", "index::store"],
    ),
    "known-key-is-not-looked-for-once-it-is-gone": (
        "src/index/store.rs",
        "Ok(None) => self.scan_from(prefix, prefix),",
        "Ok(None) => Box::new(iter::empty()),",
        ["--lib", "index::store"],
    ),
    "index-takes-any-folder": (
        "src/index/database.rs",
        'if !is_empty && !folder.join("version").exists() {',
        "if false {",
        ["--lib", "index::database"],
    ),
    "index-reads-the-keyspace-itself": (
        "src/index/database.rs",
        "let found = self.snapshot.range::<&[u8], _>(&self.items, range);",
        "let found = self.items.range::<&[u8], _>(range);",
        ["--lib", "index::database"],
    ),
    "index-forgets-that-it-is-damaged": (
        "src/index/database.rs",
        "        self.mark(&error.to_string());\n",
        "",
        ["--lib", "index::database"],
    ),
    "index-is-deleted-for-a-full-table-of-files": (
        "src/index/storage.rs",
        "OpenError::InUse | OpenError::System(_) => Unusable::Refused(error.to_string()),\n"
        "            OpenError::Foreign | OpenError::Damaged(_) => Unusable::Rebuild(error.to_string()),",
        "OpenError::InUse => Unusable::Refused(error.to_string()),\n"
        "            _ => Unusable::Rebuild(error.to_string()),",
        ["--lib", "index::reopening_tests"],
    ),
    "index-commits-without-its-checkpoint": (
        "src/index/apply.rs",
        "        written.insert(keys::HEAD.into(), Some(self.head.encode().into()));\n",
        "        if written.len() < 100 {\n"
        "            written.insert(keys::HEAD.into(), Some(self.head.encode().into()));\n"
        "        }\n",
        ["--lib", "index::tests"],
    ),
    "index-is-readable-before-it-caught-up": (
        "src/index.rs",
        "if head.sequence < self.checkpoint() {",
        "if false {",
        ["--lib", "index::reopening_tests"],
    ),
    "index-misses-no-batch": (
        "src/index/storage.rs",
        "if keys::read_entry(&key) != Some(expected) {\n            break;",
        "if keys::read_entry(&key) != Some(expected) {\n            return Ok(());",
        ["--lib", "index::reopening_tests"],
    ),
    "index-hides-from-a-snapshot-what-went-since": (
        "src/index/store.rs",
        "if !self.store.known.may_hold(key) && self.is_known_to_be_current() {",
        "if !self.store.known.may_hold(key) {",
        ["--lib", "index::store"],
    ),
    "log-does-not-wait-for-its-writer": (
        "src/journal/log.rs",
        "            let _ = writer.join();",
        "            drop(writer);",
        ["--test", "conformance"],
    ),
    "submission-as-kept-hides-what-is-pending": (
        "src/index/apply.rs",
        "if !self.pending.written.contains_key(key)",
        "if true",
        ["--lib", "index::tests"],
    ),
    "journal-cuts-off-what-was-acknowledged": (
        "src/journal/backend/files/recovery.rs",
        " || segment.shows_durable(end.next, end.at).map_err(storage)? {",
        " {",
        DAMAGE,
    ),
    "journal-leaves-an-unfinished-end": (
        "src/journal/backend/files/recovery.rs",
        "segment.cut(end.at).map_err(storage)",
        "Ok(())",
        DAMAGE,
    ),
    "journal-misses-no-file": (
        "src/journal/backend/files/recovery.rs",
        "if !follows {",
        "if false {",
        DAMAGE,
    ),
    "journal-believes-any-end": (
        "src/journal/backend/files/recovery.rs",
        "if found < mark.acknowledged {",
        "if false {",
        DAMAGE,
    ),
    "journal-forgets-ids-at-a-start": (
        "src/journal/backend/files/recovery.rs",
        "end.observe(record.id, record.stamp);",
        "(end.sequence, end.time) = (record.stamp.sequence, record.stamp.time);",
        DAMAGE,
    ),
    "sled-journal-believes-any-end": (
        "src/journal/backend/sled.rs",
        "if end.sequence < mark.acknowledged {",
        "if false {",
        DAMAGE,
    ),
    "sled-journal-removes-what-was-acknowledged": (
        "src/journal/backend/sled.rs",
        "if first <= mark.acknowledged {",
        "if false {",
        DAMAGE,
    ),
    "sled-journal-leaves-an-unfinished-end": (
        "src/journal/backend/sled.rs",
        "        self.remove(|| self.db.range(from..).keys().rev().take(REMOVALS_PER_BATCH).collect())\n",
        "        let _ = from;\n        Ok(())\n",
        DAMAGE,
    ),
    "sled-journal-checks-no-value": (
        "src/journal/backend/sled/group.rs",
        "if (&value[1..5]).get_u32() != checksum(&key(first, part), value) {",
        "if false {",
        DAMAGE,
    ),
    "journal-opens-what-is-anothers": (
        "src/journal/backend/local.rs",
        "[one] if one == backend => Ok(()),",
        "[_] => Ok(()),",
        DAMAGE,
    ),
    "journal-takes-an-entry-of-any-size": (
        "src/journal/backend/end.rs",
        "None if append.encoded().len() > MAX_ENTRY_BYTES => {",
        "None if append.encoded().len() > usize::MAX - 1 => {",
        ["--test", "conformance"],
    ),
    "journal-puts-entries-with-a-gap": (
        "src/journal/backend/end.rs",
        "if last.0 > 0 && entry.sequence != last.0 + 1 || entry.sequence == 0 {",
        "if entry.sequence == 0 {",
        ["--test", "conformance"],
    ),
    "migration-starts-on-an-empty-journal": (
        "src/journal/backend/local.rs",
        "[] if migrated(folder).exists() => Err(OpenError::Interrupted(folder.to_owned())),",
        "",
        ["--test", "migration"],
    ),
    "known-misses-new-keys": (
        "src/index/store.rs",
        "Some(_) => self.known.add(key),",
        "Some(_) => {}",
        ["--lib", "index::store"],
    ),
    # Lists that are sent again.
    "list-takes-what-another-list-holds": (
        "src/index/apply/list_close.rs",
        "        if is_held {\n",
        "        if is_held && false {\n",
        [*SIMULATION, "every_reader"],
    ),
    "idle-close-shortens-lists": (
        "src/index/apply/list_close.rs",
        "close.batches.is_some() && (is_complete || close.policy.shrink)",
        "is_complete || close.policy.shrink",
        [*SIMULATION, "every_reader"],
    ),
    "rejected-items-do-not-block-a-list": (
        "src/index/apply/list_close.rs",
        "state.rejected == 0 && close.policy.unreadable == 0",
        "close.policy.unreadable == 0",
        ["--lib", "index::list_tests"],
    ),
    "list-shrinks-without-confirmation": (
        "src/index/apply/list_close.rs",
        "if needs_confirmation(would_withdraw, list.size) {",
        "if needs_confirmation(would_withdraw, list.size) && false {",
        ["--lib", "index::list_tests"],
    ),
    "an-older-submission-takes-what-a-newer-sent": (
        "src/index/apply/list_close.rs",
        "generation.submission < submission",
        "generation.submission != submission",
        ["--lib", "index::list_tests"],
    ),
    "a-close-passes-over-values-of-a-second-list": (
        "src/index/apply/list_close.rs",
        "closing.pending.iter_mut().find(",
        "closing.pending.iter_mut().rfind(",
        ["--lib", "index::withdrawal_tests"],
    ),
    "records-of-withdrawals-are-kept-for-good": (
        "src/index/apply/withdrawals.rs",
        "self.remove(Slice::from(withdrawn));",
        "let _ = Slice::from(withdrawn);",
        ["--lib", "index::withdrawal_tests"],
    ),
    "list-keeps-what-has-ended": (
        "src/index/apply/endings.rs",
        "self.leave_lists(&key, id)?;",
        "let _ = id;",
        ["--lib", "index::list_history_tests"],
    ),
    # The resources of the host, and which connections are accepted.
    "revocation-by-a-file-without-a-list": (
        "src/tls/revocation.rs",
        "RevocationLists::of(lists, authorities).map(Some)",
        "RevocationLists::of(lists, authorities).map(|_| None)",
        ["--test", "certificates", "revo"],
    ),
    "revocation-ends-when-the-file-is-gone": (
        "src/tls/server.rs",
        "if current.revocation.is_some() && fresh.revocation.is_none() {",
        "if false {",
        ["--test", "certificates", "revo"],
    ),
    "half-a-pem-file-is-a-shorter-one": (
        "src/tls/pem.rs",
        "Some(label) => Err(cut_short(label)),",
        "Some(_) => Ok(labels),",
        ["--lib", "tls::pem"],
    ),
    "strangers-take-every-place": (
        "src/tls/handshakes.rs",
        "        if of_source >= self.per_source {\n            in_flight.evict_one_of(source);",
        "        if of_source >= self.per_source {\n            let _ = of_source;",
        ["--test", "strangers"],
    ),
    "clients-need-no-purpose": (
        "src/tls/verifiers.rs",
        "        check_purpose(leaf, Side::Client)?;",
        "",
        ["--test", "certificates", "matrix"],
    ),
    "revoked-connections-stay-open": (
        "src/tls/server.rs",
        "self.connections.close_revoked(|peer| self.is_revoked(peer));",
        "self.connections.close_revoked(|_| false);",
        ["--test", "certificates", "revo"],
    ),
    "revocations-by-operators-do-not-count": (
        "src/tls/verifiers.rs",
        "certificate.filter(|certificate| self.revocations.load().cover(certificate))",
        "certificate.filter(|_| false)",
        ["--test", "certificates", "revoked_by_entry"],
    ),
    "revocations-are-forgotten-at-a-start": (
        "src/index/storage.rs",
        "registry.revoke(certificates, record::read_revoked(&value)?);",
        "let _ = (certificates, record::read_revoked(&value)?);",
        ["--test", "certificates", "revoked_by_entry"],
    ),
    "a-new-certificate-begins-before-the-revocation": (
        "src/tls/authority.rs",
        "Ok(next_second(last.map_or(now, |last| last.max(now))))",
        "Ok(backdated.min(next_second(last.map_or(now, |last| last.max(now)))))",
        ["--test", "certificates", "authority"],
    ),
    "texts-may-steer-a-terminal": (
        "src/domain/text.rs",
        "if is_unsafe(c) && !is_allowed(c) && !ends_line {",
        "if c == '\\0' && !is_allowed(c) && !ends_line {",
        ["--test", "partner_text"],
    ),
    "a-spiffe-id-in-capitals-is-a-partner": (
        "src/tls/identity.rs",
        "if id.to_string() != uri {",
        "if false {",
        ["--test", "certificates", "chains"],
    ),
    "older-lists-are-taken": (
        "src/tls/server.rs",
        "revocation.check_numbers(&folder.join(\"crl.pem\"), enforced)?;",
        "let _ = revocation.check_numbers(&folder.join(\"crl.pem\"), enforced);",
        ["--test", "certificates", "revocation"],
    ),
    "connections-take-every-descriptor": (
        "src/server/descriptors.rs",
        "if allowed >= wanted {",
        "if allowed >= wanted || limit > 0 {",
        ["--test", "host", "descriptors"],
    ),
    "data-that-everybody-reads": (
        "src/server/private.rs",
        "fs::set_permissions(path, Permissions::from_mode(mode & !FOREIGN)),",
        "Ok(()),",
        ["--test", "host", "owners"],
    ),
    "numbers-outside-their-range": (
        "src/config/ranges.rs",
        "!number.range.contains(&(number.value)(config))",
        "*number.range.end() < (number.value)(config)",
        ["--test", "cli", "configuration"],
    ),
}


def copy_tree():
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in files:
        source, target = ROOT / name, COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def run(tests):
    environment = dict(os.environ)
    environment["CARGO_TARGET_DIR"] = str(BUILD)
    environment.setdefault("TIPOFF_HISTORIES", "3000")
    environment.setdefault("TIPOFF_TEST_DATA", str(ROOT / ".." / "shared" / "data"))
    result = subprocess.run(
        ["cargo", "test", "--quiet", *tests], cwd=COPY, env=environment, capture_output=True, text=True
    )
    return result.returncode, result.stdout + result.stderr


def check():
    """Prints the mutants whose text does not occur exactly once."""
    wrong = 0
    for name, (file, text, _, _) in MUTANTS.items():
        count = (ROOT / file).read_text().count(text) if (ROOT / file).is_file() else 0
        if count != 1:
            wrong += 1
            print(f"mutant {name}: its text occurs {count} times in {file}, and has to occur once")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    wanted = sys.argv[1:] or list(MUTANTS)
    copy_tree()
    survivors = []
    for name in wanted:
        file, text, replacement, tests = MUTANTS[name]
        path = COPY / file
        whole = path.read_text()
        if whole.count(text) != 1:
            survivors.append(name)
            print(f"{name}: its text occurs {whole.count(text)} times in {file}, and has to occur once")
            continue
        path.write_text(whole.replace(text, replacement))
        code, output = run(tests)
        path.write_text(whole)
        failed = sorted(set(re.findall(r"^test (.*?) \.\.\. FAILED$|^    ([a-z_:]+)$", output, re.M)))
        failed = sorted({a or b for a, b in failed})
        if code == 0:
            verdict = "SURVIVES"
        elif not failed:
            verdict = "DOES NOT BUILD:\n" + output[-2000:]
        else:
            verdict = "caught by " + ", ".join(failed)
        if not verdict.startswith("caught"):
            survivors.append(name)
        print(f"{name}: {verdict}", flush=True)
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} mutants are caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
