using System.Globalization;
using System.Net;
using System.Text;

namespace CryptoPlane.Benchmarks.Report.Charts;

/// <summary>A line chart as SVG. It brings its own background, light or dark as the reader's system is, so that it reads on any page.</summary>
/// <param name="Title">Above the chart.</param>
/// <param name="XTitle">Below it.</param>
/// <param name="YTitle">At its left.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical one.</param>
/// <param name="Series">The lines, at most as many as there are colours.</param>
internal sealed record LineChart(string Title, string XTitle, string YTitle, Axis X, Axis Y, IReadOnlyList<ChartSeries> Series)
{
    private const int Width = 860, Height = 460;
    private const int Left = 92, Right = 650, Top = 48, Bottom = 400;
    private const int LegendLeft = 672, LegendStep = 24, LabelGap = 8;

    /// <summary>Least distance of two numbers below the horizontal axis.</summary>
    private const double LeastLabelDistance = 36;

    // Okabe and Ito's colours, which people with any kind of colour vision tell apart; each has a shape of its own besides.
    private static readonly string[] s_colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#a6761d"];

    private const string Style = """
        <style>
          .paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
          .grid { stroke: #d1d9e0; stroke-width: 1 } .axis { stroke: #59636e; stroke-width: 1.5 }
          .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
          text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif } .title { font-size: 16px; font-weight: 600 }
          @media (prefers-color-scheme: dark) {
            .paper { fill: #151b23 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .axis { stroke: #9198a1 }
          }
        </style>

        """;

    public string ToSvg()
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Escape(Title)}\">\n");
        svg.Append(Style);
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"paper\" width=\"{Width}\" height=\"{Height}\" rx=\"6\"/>\n");
        Text(svg, Left, Top - 20, "ink title", "start", Title);
        AppendAxes(svg);
        for (int i = 0; i < Series.Count; i++)
            AppendSeries(svg, i);
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private void AppendAxes(StringBuilder svg)
    {
        foreach (double mark in Y.Marks)
        {
            Line(svg, "grid", Left, YOf(mark), Right, YOf(mark));
            Text(svg, Left - LabelGap, YOf(mark) + 4, "soft", "end", Axis.Label(mark));
        }
        double lastLabel = double.MinValue;
        foreach (double mark in X.Marks)
        {
            Line(svg, "grid", XOf(mark), Top, XOf(mark), Bottom);
            if (XOf(mark) - lastLabel < LeastLabelDistance)
                continue;
            lastLabel = XOf(mark);
            Text(svg, lastLabel, Bottom + 20, "soft", "middle", Axis.Label(mark));
        }
        Line(svg, "axis", Left, Bottom, Right, Bottom);
        Line(svg, "axis", Left, Top, Left, Bottom);
        Text(svg, (Left + Right) / 2.0, Bottom + 44, "ink", "middle", XTitle);
        double middle = (Top + Bottom) / 2.0;
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"ink\" text-anchor=\"middle\" transform=\"translate(20 {middle:F1}) rotate(-90)\">{Escape(YTitle)}</text>\n");
    }

    private void AppendSeries(StringBuilder svg, int index)
    {
        ChartSeries series = Series[index];
        string colour = s_colours[index % s_colours.Length];
        string dash = series.IsDashed ? " stroke-dasharray=\"6 5\"" : "";
        IEnumerable<string> points = series.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{XOf(point.X):F1},{YOf(point.Y):F1}"));
        svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"line\" stroke=\"{colour}\"{dash} points=\"{string.Join(' ', points)}\"/>\n");
        foreach ((double x, double y) in series.Points)
            Marker(svg, index, XOf(x), YOf(y), colour, $"{series.Name}: {Axis.Label(x)}, {y.ToString("0.##", CultureInfo.InvariantCulture)}");
        double legend = Top + 12 + (index * LegendStep);
        svg.Append(CultureInfo.InvariantCulture,
            $"<line class=\"line\" stroke=\"{colour}\"{dash} x1=\"{LegendLeft}\" y1=\"{legend:F1}\" x2=\"{LegendLeft + 28}\" y2=\"{legend:F1}\"/>\n");
        Marker(svg, index, LegendLeft + 14, legend, colour, series.Name);
        Text(svg, LegendLeft + 36, legend + 4, "ink", "start", series.Name);
    }

    /// <summary>A circle, square, diamond or triangle, with a text for the pointer.</summary>
    private static void Marker(StringBuilder svg, int index, double x, double y, string colour, string hint)
    {
        string shape = (index % 4) switch
        {
            0 => $"<circle cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"4\"",
            1 => $"<rect x=\"{x - 3.5:F1}\" y=\"{y - 3.5:F1}\" width=\"7\" height=\"7\"",
            2 => $"<path d=\"M{x:F1} {y - 5:F1}l5 5l-5 5l-5 -5z\"",
            _ => $"<path d=\"M{x:F1} {y - 5:F1}l5 8.5h-10z\"",
        };
        svg.Append(CultureInfo.InvariantCulture, $"{shape} fill=\"{colour}\"><title>{Escape(hint)}</title>");
        svg.Append((index % 4) switch { 0 => "</circle>\n", 1 => "</rect>\n", _ => "</path>\n" });
    }

    private static void Line(StringBuilder svg, string style, double x1, double y1, double x2, double y2) => svg.Append(
        CultureInfo.InvariantCulture, $"<line class=\"{style}\" x1=\"{x1:F1}\" y1=\"{y1:F1}\" x2=\"{x2:F1}\" y2=\"{y2:F1}\"/>\n");

    private static void Text(StringBuilder svg, double x, double y, string style, string anchor, string text) => svg.Append(
        CultureInfo.InvariantCulture, $"<text class=\"{style}\" x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{Escape(text)}</text>\n");

    private double XOf(double value) => Left + (X.Position(value) * (Right - Left));

    private double YOf(double value) => Bottom - (Y.Position(value) * (Bottom - Top));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
