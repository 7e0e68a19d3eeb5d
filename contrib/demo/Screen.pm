package Screen;

# What the demo shows: titles, lines and a table that grows, 80 cells wide. Colours only on a terminal, and not with NO_COLOR.
# Strings are bytes in UTF-8; a Chinese character takes two cells. Nothing whose width a terminal may guess (★, …, box
# drawing) stands where something has to be aligned.

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(title say_text note_line step_begin step_end padded coloured cells);

my $WIDTH = 78;
my $is_terminal = -t STDOUT;
my $has_colour = $is_terminal && !exists $ENV{NO_COLOR} && ($ENV{TERM} // 'dumb') ne 'dumb';
my %colour = (bold => 1, dim => 2, red => 31, green => 32, yellow => 33, blue => 36);

$| = 1;

sub coloured {
    my ($name, $text) = @_;
    return $has_colour ? "\e[$colour{$name}m$text\e[0m" : $text;
}

# How many cells the text takes on a terminal; colours take none.
sub cells {
    my ($text) = @_;
    $text =~ s/\e\[\d*m//g;
    utf8::decode($text);
    my $wide = () = $text =~ /[\p{East_Asian_Width=W}\p{East_Asian_Width=F}]/g;
    return length($text) + $wide;
}

# The text, filled up with blanks to so many cells.
sub padded {
    my ($text, $width) = @_;
    my $missing = $width - cells($text);
    return $text . ' ' x ($missing > 0 ? $missing : 0);
}

my $acts = 0;

sub title {
    my ($english, $chinese) = @_;
    my $head = ++$acts . '. ' . $english;
    my $gap = $WIDTH - cells($head) - cells($chinese);
    print "\n", coloured(bold => $head), ' ' x ($gap > 1 ? $gap : 1), coloured(dim => $chinese), "\n",
        coloured(dim => '-' x $WIDTH), "\n";
}

# Running text, broken at blanks.
sub say_text {
    my ($text) = @_;
    my $line = '';
    for my $word (split ' ', $text) {
        if ($line ne '' && cells("$line $word") > $WIDTH) {
            print "$line\n";
            $line = '';
        }
        $line .= $line eq '' ? $word : " $word";
    }
    print "$line\n";
}

# A line as it is (of a log, of a conversation), indented, and broken where the terminal ends.
sub note_line {
    my ($text, $colour) = @_;
    my $indent = '  ';
    utf8::decode($text);
    my $line = '';
    my @words = split /(?<=[ ])/, $text;
    for my $word (@words) {
        my $bytes = $word;
        utf8::encode($bytes);
        if ($line ne '' && cells($line . $bytes =~ s/ +$//r) > $WIDTH - 4) {
            _put($indent . $line, $colour);
            $indent = '      ';
            $line = '';
        }
        $line .= $bytes;
    }
    _put($indent . $line, $colour);
}

sub _put {
    my ($line, $colour) = @_;
    $line =~ s/ +$//;
    print $colour ? coloured($colour, $line) : $line, "\n";
}

# Something that takes a moment: what it is now, how it ended when it has.
sub step_begin {
    my ($text) = @_;
    print '  ', padded($text, 68);
}

sub step_end {
    my ($text) = @_;
    print coloured(green => $text), "\n";
}

1;
