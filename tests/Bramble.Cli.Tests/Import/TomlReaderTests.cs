using System.Globalization;
using System.Text;
using Bramble.Cli.Import.Toml;

namespace Bramble.Cli.Tests.Import;

/// <summary>TOML 1.0.0, but for dates and arrays of tables.</summary>
public sealed class TomlReaderTests
{
    [Theory]
    [InlineData("a = 1", "{a=1}")]
    [InlineData("", "{}")]
    [InlineData("# only a comment\n\n  # and another", "{}")]
    [InlineData("a = +1_000\r\nb = -0 # minus nothing\nc = 0xDEAD_beef\nd = 0o755\ne = 0b1101",
        "{a=1000, b=0, c=3735928559, d=493, e=13}")]
    [InlineData("a = 9223372036854775807\nb = -9223372036854775808", "{a=9223372036854775807, b=-9223372036854775808}")]
    [InlineData("a = 1.5\nb = -2e3\nc = 6.626e-3\nd = inf\ne = nan",
        "{a=1.5f, b=-2000f, c=0.006626f, d=Infinityf, e=NaNf}")]
    [InlineData("a = true\nb = false", "{a=true, b=false}")]
    [InlineData("""a = "x\ty\"\\\u00e9\U0001F347" """, "{a='x\ty\"\\\u00e9\U0001F347'}")]
    [InlineData("""a = 'C:\dir\n'""", "{a='C:\\dir\\n'}")]
    [InlineData("a = \"\"\"\nfirst\n  \"two\" \\\n\n   end\"\"\"\"\"", "{a='first\n  \"two\" end\"\"'}")]
    [InlineData("a = '''\nI '' am\n'''", "{a='I '' am\n'}")]
    [InlineData("a = [1, 2, # two\n  [\"x\"], {b = 1},\n]", "{a=[1, 2, ['x'], {b=1}]}")]
    [InlineData("a.b.c = 1\na.b.d = 2\n\"q r\".'s' = 3", "{a={b={c=1, d=2}}, q r={s=3}}")]
    [InlineData("[a.b]\nc = 1\n[a]\nd = 2\n[ e . \"f.g\" ]", "{a={b={c=1}, d=2}, e={f.g={}}}")]
    [InlineData("a = { b = 1, c.d = 2 }\n1234 = 5", "{a={b=1, c={d=2}}, 1234=5}")]
    public void What_the_specification_allows_is_read(string text, string shown)
    {
        Assert.True(TomlReader.TryRead(text, out var document, out var error), $"{error}");
        Assert.Equal(shown, Show(document));
    }

    [Theory]
    [InlineData("a = 1\na = 2", 2, "'a' is there already, in line 1")]
    [InlineData("[a]\n[b]\n[a]", 3, "the table 'a' is there already, in line 1")]
    [InlineData("a.b = 1\n[a]", 2, "the table 'a' is there already")]
    [InlineData("a = {b = 1}\n[a.c]", 2, "the table 'a' is there already")]
    [InlineData("[a.b]\n[a]\nb.c = 1", 3, "'b' is there since line 1; nothing adds to it")]
    [InlineData("a = 1\n[a.b]", 2, "'a' is a value since line 1")]
    [InlineData("a = {b = 1}\na.c = 2", 2, "nothing adds to it")]
    [InlineData("a = {b.c = 1}\n[a.b]", 2, "is there already")]
    [InlineData("a = 01", 1, "'01' is no value")]
    [InlineData("a = 1__0", 1, "is no value")]
    [InlineData("a = 9223372036854775808", 1, "does not fit into 64 bits")]
    [InlineData("a = 0xFFFFFFFFFFFFFFFF", 1, "does not fit into 64 bits")]
    [InlineData("a = 1979-05-27", 1, "is a date or a time, which is not read here")]
    [InlineData("[[a]]", 1, "an array of tables")]
    [InlineData("a = hello", 1, "a text stands in quotes")]
    [InlineData("a = ", 1, "the value is missing")]
    [InlineData("= 1", 1, "a key cannot begin with '='")]
    [InlineData("a b = 1", 1, "'=' must follow the key 'a'")]
    [InlineData("a = 1 b = 2", 1, "'b' where the line should end")]
    [InlineData("x = 1\na = \"no end\nb = 1", 2, "the text does not end on its line")]
    [InlineData("a = \"\"\"no end", 1, "the text that begins here does not end")]
    [InlineData("a = \"\\q\"", 1, "is no escape")]
    [InlineData("a = \"\\ud800\"", 1, "is no character")]
    [InlineData("a = \"\\u12\"", 1, "needs 4 hexadecimal digits")]
    [InlineData("a = [1,\n2", 1, "the array that begins here does not end")]
    [InlineData("a = [1 2]", 1, "',' or ']' must follow")]
    [InlineData("a = {b = 1,}", 1, "a key cannot begin with '}'")]
    [InlineData("a = {b = 1\n}", 1, "on the line of an inline table")]
    [InlineData("[a", 1, "ends with ']'")]
    [InlineData("[]", 1, "a key cannot begin with ']'")]
    [InlineData("[a] b = 1", 1, "where the line should end")]
    [InlineData("a = 'x\u0001'", 1, "U+0001")]
    [InlineData("# \u0007", 1, "in a comment")]
    public void What_it_forbids_is_an_error_with_its_line(string text, int line, string says)
    {
        Assert.False(TomlReader.TryRead(text, out _, out var error));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
    }

    [Fact]
    public void Depth_is_bounded()
    {
        Assert.False(TomlReader.TryRead("a = " + new string('[', 100_000), out _, out var error));
        Assert.Contains("more than 64", error.Message, StringComparison.Ordinal);
        Assert.False(TomlReader.TryRead(string.Concat(Enumerable.Repeat("a={b=", 50_000)), out _, out _));
        Assert.False(TomlReader.TryRead("[" + string.Join('.', Enumerable.Repeat("a", 100_000)) + "]", out _, out _));
    }

    [Fact]
    public void Hostile_text_never_throws_and_never_hangs()
    {
        const string good = "[cluster]\nname = \"x\"\nports = [1, 0x2, { a.b = true }]\n[cluster.stacks.0.devices.1]\n"
            + "mac = 'B8:27:EB:2C:C0:04' # here\nlong = \"\"\"a\\\n  b\"\"\"\nnumber = -1_0.5e3\n";
        const string pieces = "[]{}=.,\"'\\#\n\r\t 0x_u-+eE:";
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var text = new StringBuilder(good);
            for (var edits = random.Next(1, 6); edits > 0 && text.Length > 0; edits--)
            {
                var at = random.Next(text.Length);
                var piece = random.Next(4) == 0 ? (char)random.Next(0x250) : pieces[random.Next(pieces.Length)];
                if (random.Next(3) == 0) text.Remove(at, Math.Min(random.Next(1, 9), text.Length - at));
                else if (random.Next(2) == 0) text.Insert(at, piece);
                else text[at] = piece;
            }
            if (!TomlReader.TryRead(text.ToString(), out _, out var error))
                Assert.True(error.Message.Length > 0 && error is { Line: > 0, Column: > 0 }, $"seed {seed}: {text}");
        }
    }

    private static string Show(TomlValue value) => value switch
    {
        TomlText text => $"'{text.Value}'",
        TomlInteger integer => $"{integer.Value}",
        TomlFloat number => number.Value.ToString(CultureInfo.InvariantCulture) + "f",
        TomlBoolean flag => flag.Value ? "true" : "false",
        TomlArray array => $"[{string.Join(", ", array.Items.Select(Show))}]",
        TomlTable table => $"{{{string.Join(", ", table.Members.Select(m => $"{m.Key}={Show(m.Value)}"))}}}",
        _ => "?",
    };
}
