//! What binds the indicators of a campaign, for programs that draw graphs.

use std::fmt::Write;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::words;
use crate::wire::pb;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For Graphviz
    Dot,
    /// One object of nodes and edges
    Json,
}

/// The graph for Graphviz: indicators as ellipses, what binds them as boxes. Values are as they are:
/// nothing that shows the text makes them links.
pub fn dot(clusters: &pb::CampaignClusters) -> String {
    let mut text = String::from("graph campaign {\n");
    if clusters.cut {
        text += "  // Cut: there is more than is shown.\n";
    }
    for (at, indicator) in clusters.indicators.iter().enumerate() {
        let label = words::value(&indicator.platform, &indicator.value);
        let kind = words::kind(indicator.kind());
        let _ = writeln!(text, "  i{at} [label={}, tooltip={}];", quoted(&label), quoted(&kind));
    }
    for (at, bond) in clusters.bonds.iter().enumerate() {
        let label = format!("{} of {}", kind(bond.kind()), bond.author);
        let _ = writeln!(text, "  b{at} [shape=box, label={}];", quoted(&label));
        for of in &bond.indicators {
            let _ = writeln!(text, "  b{at} -- i{of};");
        }
    }
    text + "}\n"
}

/// The graph as an object.
pub fn json(clusters: &pb::CampaignClusters) -> Value {
    let indicators = clusters.indicators.iter().enumerate().map(|(at, indicator)| {
        json!({
            "node": format!("i{at}"),
            "id": indicator.id,
            "kind": words::kind(indicator.kind()),
            "platform": indicator.platform,
            "value": indicator.value,
        })
    });
    let bonds = clusters.bonds.iter().enumerate().map(|(at, bond)| {
        json!({
            "node": format!("b{at}"),
            "bond": kind(bond.kind()),
            "author": bond.author,
            "at": words::time(bond.at.as_ref()),
        })
    });
    let edges = clusters.bonds.iter().enumerate().flat_map(|(at, bond)| {
        bond.indicators.iter().map(move |of| json!([format!("b{at}"), format!("i{of}")]))
    });
    json!({
        "indicators": indicators.collect::<Vec<_>>(),
        "bonds": bonds.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "cut": clusters.cut,
    })
}

fn kind(kind: pb::BondKind) -> String {
    words::name(kind.as_str_name(), "BOND_KIND_")
}

/// A string of the DOT language: in it a quotation mark is escaped, and a backslash begins an escape of
/// its own.
fn quoted(text: &str) -> String {
    let plain = words::one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{plain}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters() -> pb::CampaignClusters {
        let indicator = |value: &str| pb::Indicator {
            kind: pb::Kind::Url.into(),
            value: value.into(),
            ..Default::default()
        };
        let bond = pb::Bond {
            kind: pb::BondKind::Submission.into(),
            author: "birdsite".into(),
            at: None,
            indicators: vec![0, 1],
        };
        pb::CampaignClusters {
            indicators: vec![indicator("a.example"), indicator("b.example/\"x\\")],
            bonds: vec![bond],
            cut: true,
        }
    }

    #[test]
    fn a_graph_is_written_for_graphviz_whatever_the_values_hold() {
        assert_eq!(
            dot(&clusters()),
            "graph campaign {\n  // Cut: there is more than is shown.\n  \
             i0 [label=\"a.example\", tooltip=\"url\"];\n  \
             i1 [label=\"b.example/\\\"x\\\\\", tooltip=\"url\"];\n  \
             b0 [shape=box, label=\"submission of birdsite\"];\n  b0 -- i0;\n  b0 -- i1;\n}\n"
        );
    }

    #[test]
    fn a_graph_is_an_object_of_nodes_and_edges() {
        let graph = json(&clusters());
        assert_eq!(graph["edges"], json!([["b0", "i0"], ["b0", "i1"]]));
        assert_eq!(graph["bonds"][0]["bond"], "submission");
        assert_eq!((&graph["indicators"][1]["node"], &graph["cut"]), (&json!("i1"), &json!(true)));
    }
}
