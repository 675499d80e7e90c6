namespace Bramble.Cli.Output;

internal enum OutputFormat
{
    Table,
    Wide,
    Json,
    Yaml,
}

internal static class OutputFormats
{
    public static readonly string[] Words = ["table", "wide", "json", "yaml"];

    public static OutputFormat Parse(string word) => (OutputFormat)Array.IndexOf(Words, word);

    /// <summary>For programs: the API's records, whole.</summary>
    public static bool IsForMachines(this OutputFormat format) => format is OutputFormat.Json or OutputFormat.Yaml;
}
