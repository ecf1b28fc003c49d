# cmake -DOUTPUT=page_pieces.cc -DHTML=... -DSTYLE=... -DSCRIPTS="a.js;b.js" -P embed.cmake
#
# Writes the page's files as string literals, unchanged, one for each file (a literal may have 65,536
# characters), and their SHA-256, by which the page's policy and its ETag know them.

# Of 64 hexadecimal digits.
function(base64 result hex)
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  string(APPEND hex 00)
  foreach(at RANGE 0 63 3)
    string(SUBSTRING ${hex} ${at} 3 digits)
    foreach(shift 6 0)
      math(EXPR index "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING ${alphabet} ${index} 1 character)
      string(APPEND text ${character})
    endforeach()
  endforeach()
  string(SUBSTRING ${text} 0 43 text)
  set(${result} ${text}= PARENT_SCOPE)
endfunction()

# Sets NAME_literals, NAME_hex and NAME_base64.
function(embed name)
  set(literals "")
  set(all "")
  foreach(file IN LISTS ARGN)
    file(READ "${file}" content)
    string(LENGTH "${content}" length)
    if(length GREATER 60000)
      message(FATAL_ERROR "${file} is too long for one literal")
    endif()
    string(APPEND literals "\n    R\"-piece-(${content})-piece-\"")
    string(APPEND all "${content}")
  endforeach()
  string(SHA256 hex "${all}")
  base64(text ${hex})
  set(${name}_literals "${literals}" PARENT_SCOPE)
  set(${name}_hex ${hex} PARENT_SCOPE)
  set(${name}_base64 ${text} PARENT_SCOPE)
endfunction()

embed(html ${HTML})
embed(style ${STYLE})
embed(script ${SCRIPTS})
string(SHA256 version "${html_hex} ${style_hex} ${script_hex}")
string(SUBSTRING ${version} 0 32 version)
file(WRITE "${OUTPUT}" "// Written by the build.
#include \"tools/page_pieces.h\"

namespace hotline::tools {

const std::string_view page_html =${html_literals};
const std::string_view page_style =${style_literals};
const std::string_view page_script =${script_literals};
const std::string_view page_style_sha256 = \"${style_base64}\";
const std::string_view page_script_sha256 = \"${script_base64}\";
const std::string_view page_version = \"${version}\";

}  // namespace hotline::tools
")
