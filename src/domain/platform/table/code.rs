//! Hosts of source code.

use super::Site;
use crate::domain::indicator::Kind::{Account, Community};
use crate::domain::platform::own_pages::NO_VIEWS;
use crate::domain::platform::shape::Shape::{Bare, Under};

/// Shapes are tried in order. The second segment of a path is a repository, and no view of the account.
pub const SITES: &[Site] = &[
    Site::new(
        "github",
        &[],
        &["github.com"],
        &[
            // An organisation has its name from the accounts.
            Under("orgs", Account),
            Under("sponsors", Account),
            Bare(Account),
        ],
    )
    .with_views(NO_VIEWS)
    .with_own_pages(&[
        "advisories",
        "codespaces",
        "collections",
        "community",
        "copilot",
        "customer-stories",
        "education",
        "enterprise",
        "git-guides",
        "issues",
        "mobile",
        "models",
        "new",
        "nonprofit",
        "open-source",
        "organizations",
        "orgs",
        "partners",
        "pulls",
        "readme",
        "resources",
        "security-lab",
        "site",
        "skills",
        "solutions",
        "sponsors",
        "stars",
        "startups",
        "team",
        "trust-center",
        "watching",
        "why-github",
    ]),
    Site::new("github", &[], &["gist.github.com"], &[Bare(Account)])
        .with_views(&["forked", "starred"])
        .with_own_pages(&["forked", "mine", "starred"]),
    Site::new(
        "gitlab",
        &[],
        &["gitlab.com"],
        &[
            // `/NAME` may be a user or a group. Only this format names a group.
            Under("groups", Community),
            Under("users", Account),
            Bare(Account),
        ],
    )
    .with_views(NO_VIEWS)
    .with_own_pages(&[
        "-",
        "abuse_reports",
        "assets",
        "jwt",
        "oauth",
        "projects",
        "public",
        "runner_setup",
        "sign_in",
        "sign_up",
        "snippets",
    ]),
];
