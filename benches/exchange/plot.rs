//! A plot of each scenario over its sizes.

use std::fs;
use std::path::Path;

use plotters::prelude::*;

use crate::report::Row;

const SIZE: (u32, u32) = (640, 360);

/// Draws every scenario that was measured at more than one size, as SVG. Both axes are logarithmic:
/// linear growth is a straight line.
pub fn draw(rows: &[Row], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut scenarios: Vec<_> = rows.iter().map(|row| row.scenario).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios {
        let rows: Vec<_> = rows.iter().filter(|row| row.scenario == scenario).collect();
        if rows.len() > 1 {
            let file = folder.join(format!("{}.svg", scenario.replace(' ', "-")));
            picture(scenario, &rows, &file).unwrap();
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn picture(scenario: &str, rows: &[&Row], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let sizes = || rows.iter().map(|row| row.size as f64);
    let values = || rows.iter().flat_map(|row| [row.value, row.limit]).filter(|v| *v > 0.0);
    let least = |all: &mut dyn Iterator<Item = f64>| all.fold(f64::INFINITY, f64::min);
    let most = |all: &mut dyn Iterator<Item = f64>| all.fold(0.0, f64::max);
    let across = (least(&mut sizes())..most(&mut sizes())).log_scale();
    let (low, high) = (least(&mut values()), most(&mut values()));
    // Leaves room for the legend above all points.
    let up = (low / 2.0..high * 2.0 * (high / low).powf(0.25)).log_scale();
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let unit = rows[0].unit;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{scenario}, {unit}"), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(80)
        .build_cartesian_2d(across, up)?;
    chart
        .configure_mesh()
        .x_desc("size")
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .draw()?;
    let exchange = rows.iter().map(|row| (row.size as f64, row.value)).collect::<Vec<_>>();
    let limit = rows.iter().map(|row| (row.size as f64, row.limit)).collect();
    for (name, points, colour) in [("the exchange", exchange, BLUE), ("the limit", limit, RED)] {
        let dots = points.iter().map(|point| Circle::new(*point, 3, colour.filled()));
        chart.draw_series(dots)?;
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    let mut names = chart.configure_series_labels();
    let names = names.position(SeriesLabelPosition::UpperRight);
    names.background_style(WHITE).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}

/// A number in short form.
#[allow(clippy::trivially_copy_pass_by_ref)] // As the chart asks for it.
fn short(value: &f64) -> String {
    match *value {
        value if value >= 1e6 => format!("{:.0} M", value / 1e6),
        value if value >= 1e3 => format!("{:.0} k", value / 1e3),
        value if value >= 1.0 => format!("{value:.0}"),
        value => format!("{value:.4}").trim_end_matches('0').to_owned(),
    }
}
