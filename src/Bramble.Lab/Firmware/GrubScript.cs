using System.Text;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Firmware;

/// <summary>
/// Reads a grub.cfg as GRUB's shell does, strictly: words, quotes, blocks that are closed, and the few commands that
/// start a kernel. What it does not know ends the boot.
/// </summary>
internal static class GrubScript
{
    /// <exception cref="BootStoppedException">Says which line GRUB would stop at.</exception>
    public static BootScript Read(string text)
    {
        string kernel = "", commandLine = "", initramfs = "";
        bool boots = false, retries = false;
        var blocks = new Stack<string>();
        foreach (var (i, line) in text.Split('\n').Index())
        {
            foreach (var statement in Statements(i, line))
            {
                var words = statement;
                if (words[0] is "then" or "do" or "else")
                {
                    Expect(words[0] == "do" ? "while" : "if", i, words[0]);
                    words = words[1..];
                    if (words.Count == 0) continue;
                }
                if (words[0] is "if" or "while")
                {
                    blocks.Push(words[0]);
                    retries |= words[0] == "while";
                    words = words[1..];
                    if (words.Count == 0) throw Stop(i, "a condition is missing");
                }
                switch (words[0])
                {
                    case "set" when words.Count == 2 && words[1].Contains('=', StringComparison.Ordinal):
                    case "echo" or "true" or "sleep":
                        break;
                    case "fi":
                        Expect("if", i, "fi");
                        blocks.Pop();
                        break;
                    case "done":
                        Expect("while", i, "done");
                        blocks.Pop();
                        break;
                    case "linux" when words.Count >= 2:
                        (kernel, commandLine) = (words[1], string.Join(' ', words.Skip(2)));
                        break;
                    case "initrd" when words.Count == 2:
                        if (kernel.Length == 0) throw Stop(i, "you need to load the kernel first");
                        initramfs = words[1];
                        break;
                    case "boot" when words.Count == 1:
                        if (kernel.Length == 0) throw Stop(i, "you need to load the kernel first");
                        boots = true;
                        break;
                    default:
                        throw Stop(i, $"can't find command '{words[0]}'");
                }
            }
        }
        if (blocks.TryPeek(out var open)) throw new BootStoppedException($"grub.cfg: '{open}' is not closed");
        if (!boots) throw new BootStoppedException("grub.cfg: nothing is booted at its end");
        return new BootScript(kernel, initramfs, "", commandLine, retries);

        void Expect(string block, int i, string word)
        {
            if (!blocks.TryPeek(out var inner) || inner != block) throw Stop(i, $"syntax error at '{word}'");
        }
    }

    /// <summary>A line's statements, each as its words.</summary>
    private static IEnumerable<List<string>> Statements(int index, string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var inWord = false;
        for (var i = 0; i < line.Length; i++)
        {
            switch (line[i])
            {
                case '#' when !inWord:
                    i = line.Length;
                    break;
                case ' ' or '\t' or '\r':
                    End();
                    break;
                case ';':
                    End();
                    if (words.Count > 0) yield return words;
                    words = [];
                    break;
                case '\\' when i + 1 < line.Length:
                    word.Append(line[++i]);
                    inWord = true;
                    break;
                case '\'' or '"':
                    var close = line.IndexOf(line[i], i + 1);
                    if (close < 0) throw Stop(index, "a quote is not closed");
                    if (line[i] == '"' && line.AsSpan(i, close - i).ContainsAny('$', '\\'))
                        throw Stop(index, "a variable or escape in quotes, which is not known here");
                    word.Append(line, i + 1, close - i - 1);
                    inWord = true;
                    i = close;
                    break;
                case '$' or '&' or '|' or '<' or '>' or '{' or '}':
                    throw Stop(index, $"an unquoted {line[i]}");
                default:
                    word.Append(line[i]);
                    inWord = true;
                    break;
            }
        }
        End();
        if (words.Count > 0) yield return words;

        void End()
        {
            if (inWord) words.Add(word.ToString());
            word.Clear();
            inWord = false;
        }
    }

    private static BootStoppedException Stop(int index, string why) => new($"grub.cfg line {index + 1}: {why}");
}
