using System.Text;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Import;

/// <summary>A setting of the other system that is no node: where it is, and what corresponds to it here.</summary>
internal sealed record LeftOut(string File, int Line, string Setting, string Advice);

/// <summary>What was read out of another system's file: nodes, and everything that is none, by its line.</summary>
internal sealed class ImportReading(string file)
{
    /// <summary>Characters; a file that lists a rack's boards is a thousandth of it.</summary>
    private const int Bound = 16 << 20;

    private readonly List<(int Line, string Note)> _notes = [];

    /// <summary>Where the lines of the nodes are; for people.</summary>
    public string File { get; } = Path.GetFileName(file);

    public List<NodeImportEntry> Nodes { get; } = [];

    /// <summary>Lines that are bad or have nothing to take over.</summary>
    public List<NodeImportOutcome> Others { get; } = [];

    public List<LeftOut> LeftOuts { get; } = [];

    public void Node(NodeImportEntry entry) => Nodes.Add(entry);

    public void Bad(int line, string why, string mac = "", string? name = null, string? address = null) =>
        Others.Add(new NodeImportOutcome(line, NodeImportVerdict.Bad, mac, null, name, address, why));

    public void Skip(int line, string why, string mac = "", string? name = null, string? address = null) =>
        Others.Add(new NodeImportOutcome(line, NodeImportVerdict.Skipped, mac, null, name, address, why));

    /// <summary>What a line says of a node besides what is taken over.</summary>
    public void Note(int line, string note) => _notes.Add((line, note));

    public string NotesOf(int line) => string.Join("; ", _notes.Where(n => n.Line == line).Select(n => n.Note));

    public void Leave(string file, int line, string setting, string advice) =>
        LeftOuts.Add(new LeftOut(Path.GetFileName(file), line, setting, advice));

    /// <summary>A file as text, whole.</summary>
    public static string Text(string path)
    {
        try
        {
            using var reader = new StreamReader(
                path, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
            if (reader.BaseStream.CanSeek && reader.BaseStream.Length > Bound)
                throw new CliException(ExitCode.Failed, $"{path} is larger than {Bound >> 20} MiB: no such list is");
            return reader.ReadToEnd().TrimStart('\ufeff');
        }
        catch (DecoderFallbackException e)
        {
            throw new CliException(ExitCode.Failed, $"{path} is not text in UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>The lines of a file with their numbers from 1; blank ones are left out.</summary>
    public static IEnumerable<(int Line, string Text)> Lines(string text) => text.Split('\n')
        .Select((line, at) => (Line: at + 1, Text: line.Trim())).Where(line => line.Text.Length > 0);

    /// <summary>
    /// As our names are written: host names know no capitals (RFC 4343), and no domain is part of ours.
    /// </summary>
    public string? Name(int line, string name)
    {
        if (name.Length == 0) return null;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0)
        {
            Note(line, $"the domain '{name[(dot + 1)..]}' is left out");
            name = name[..dot];
        }
        return name.ToLowerInvariant();
    }
}
